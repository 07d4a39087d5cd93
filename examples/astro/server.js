// Astro as middleware of Express. Start it with: npm run example astro

import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { impressions } from 'ad-impressions'
import express from 'express'
import { waitUntilStopped } from '../wait-until-stopped.js'
import { handler } from './dist/server/entry.mjs'

const app = express()
const tracker = impressions({
  // Use your own secret, the same in every process: openssl rand -base64 32
  visibility: { secret: process.env.AD_IMPRESSIONS_SECRET ?? randomBytes(32).toString('base64') },
})
app.use(tracker)
app.use(express.static(path.join(import.meta.dirname, 'dist/client')))
app.use((req, res, next) => handler(req, res, next, res.locals)) // pages see them as Astro.locals

await waitUntilStopped(app.listen(process.env.PORT ?? 3000))
await tracker.close() // delivers pending impressions
