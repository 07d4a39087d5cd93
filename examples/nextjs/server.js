// Next.js, App Router, behind a custom server with Express. Start it with: npm run example nextjs

import { AsyncLocalStorage } from 'node:async_hooks'
import { randomBytes } from 'node:crypto'
import { impressions } from 'ad-impressions'
import express from 'express'
import next from 'next'
import { waitUntilStopped } from '../wait-until-stopped.js'

const nextApp = next({ dir: import.meta.dirname })
await nextApp.prepare()
const handle = nextApp.getRequestHandler()

const app = express()
const tracker = impressions({
  // Use your own secret, the same in every process: openssl rand -base64 32
  visibility: { secret: process.env.AD_IMPRESSIONS_SECRET ?? randomBytes(32).toString('base64') },
})
app.use(tracker)

// Next.js does not pass the response to Server Components, and bundles its own copy of each module
// they import. So they find it through a global: see track-impression.js.
const currentResponse = new AsyncLocalStorage()
globalThis.currentResponse = currentResponse
app.use((req, res) => currentResponse.run(res, handle, req, res))

await waitUntilStopped(app.listen(process.env.PORT ?? 3000))
await tracker.close() // delivers pending impressions
await nextApp.close()
