import cluster from 'node:cluster'
import { impressions } from 'ad-impressions'
import express from 'express'
import { closeServer, waitForStopSignal } from '../wait-until-stopped.js'
import { openOutbox } from './outboxes.js'
import { renderFleet, renderPage, renderStory } from './pages.js'

const SHARE_STATS_MS = 500

const stopped = waitForStopSignal()
const { outbox, close } = openOutbox(process.env.OUTBOX)
const tracker = impressions({ outbox, pageLoadCookie: true })

let statsByProcess = []
process.on('message', (message) => {
  statsByProcess = message
})
const sharing = setInterval(() => process.send(tracker.stats()), SHARE_STATS_MS)

const app = express()
app.use((_req, res, next) => {
  // A browser keeps its connection to one process. Without it, requests reach all of them.
  res.set('connection', 'close')
  next()
})
app.use(tracker)

app.get('/', (_req, res) => {
  res.send(renderPage(res.locals.trackImpression))
})

// Fetched by the page, probably from another process. The banner has counted with the page.
app.get('/story', (_req, res) => {
  res.send(renderStory(res.locals.trackImpression))
})

app.get('/fleet', async (_req, res) => {
  const fleetStats = await tracker.fleetStats().catch(() => undefined) // the outbox has failed
  res.send(renderFleet(statsByProcess, fleetStats))
})

const server = app.listen(process.env.PORT ?? 3000)
await stopped
await closeServer(server)
await tracker.close() // delivers pending impressions
clearInterval(sharing)
close()
cluster.worker.disconnect()
