/** @jsxImportSource hono/jsx */
// Hono on Node.js. Start it with: npm run example hono

import type { Server } from 'node:http'
import { type HttpBindings, serve } from '@hono/node-server'
import { createTracker, type TrackImpression } from 'ad-impressions'
import { Hono } from 'hono'
import { startSandboxUnlessKeys } from '../start-sandbox.js'
import { waitUntilStopped } from '../wait-until-stopped.js'
import { Page } from './page.js'

const sandbox = await startSandboxUnlessKeys()

const app = new Hono<{ Bindings: HttpBindings; Variables: { trackImpression: TrackImpression } }>()
const tracker = createTracker() // keys from ENS_API_KEY and CLOSIENT_API_KEY

app.use(async (c, next) => {
  c.set('trackImpression', tracker.pageLoad(c.env.incoming, c.env.outgoing))
  await next()
})

app.get('/', (c) => c.html(<Page trackImpression={c.var.trackImpression} />))

const server = serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 3000) })
await waitUntilStopped(server as Server)
await tracker.close() // delivers pending impressions
await sandbox?.close()
