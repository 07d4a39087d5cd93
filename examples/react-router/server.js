// React Router in framework mode, behind Express. Start it with: npm run example react-router

import { randomBytes } from 'node:crypto'
import { createRequestHandler } from '@react-router/express'
import { impressions } from 'ad-impressions'
import express from 'express'
import { waitUntilStopped } from '../wait-until-stopped.js'
import * as build from './build/server/index.js'

const app = express()
app.use(express.static('build/client'))

const tracker = impressions({
  // Use your own secret, the same in every process: openssl rand -base64 32
  visibility: { secret: process.env.AD_IMPRESSIONS_SECRET ?? randomBytes(32).toString('base64') },
})
app.use(tracker)
app.use(
  createRequestHandler({
    build,
    getLoadContext: (_req, res) => ({ trackImpression: res.locals.trackImpression }),
  }),
)

await waitUntilStopped(app.listen(process.env.PORT ?? 3000))
await tracker.close() // delivers pending impressions
