// A local news site with ads from both networks. Start it with: npm run demo

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { closient, ens, impressions } from 'ad-impressions'
import { startSandbox } from 'ad-impressions/sandbox'
import express from 'express'
import { closeServer, waitForStopSignal } from '../wait-until-stopped.js'
import { AdOutcomes } from './ad-outcomes.js'
import { adverts, findOffers } from './campaigns.js'
import { formatGreeting, formatOutcome, formatSummary, printLine } from './console.js'
import { findStory, searchStories, stories } from './stories.js'

const SITE_PORT = Number(process.env.PORT ?? 3000)
const SANDBOX_PORT = SITE_PORT === 0 ? 0 : 4600

// Both networks run on loopback with their own keys, so the demo never uses a key of yours.
const sandbox = await listenOnPort(SANDBOX_PORT, (port) => startSandbox({ port }))

const tracker = impressions({
  networks: [
    ens({ apiKey: sandbox.ens.apiKey, baseUrl: sandbox.ens.baseUrl }),
    closient({
      apiKey: sandbox.closient.apiKey,
      baseUrl: sandbox.closient.baseUrl,
      perOffer: true, // the search page shows several offers of a campaign
    }),
  ],
  country: () => 'GB', // behind a CDN, use its name, such as 'cloudflare'
  searchQuery: (req) => readQuery(req) || undefined,
  visibility: { secret: randomBytes(32).toString('base64') }, // use the same secret in every process
})
tracker.on('outcome', (event) => printLine(formatOutcome(event)))

const app = express()
app.disable('x-powered-by')
app.set('views', join(import.meta.dirname, 'views'))
app.set('view engine', 'ejs')
app.use((_req, res, next) => {
  const nonce = randomBytes(16).toString('base64')
  res.locals.nonce = nonce
  // The page's two scripts talk to this server only: one reports visible ads, the other shows what
  // the server has counted. Only the server calls the networks.
  const scripts = `script-src 'nonce-${nonce}'; connect-src 'self'`
  const rest = "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
  res.set(
    'content-security-policy',
    `default-src 'none'; style-src 'self'; img-src data:; ${scripts}; ${rest}`,
  )
  next()
})
app.use(express.static(join(import.meta.dirname, 'public')))
const outcomes = new AdOutcomes(tracker)
app.get('/outcomes/:pageLoad', outcomes.stream)
app.use(tracker)
app.use(outcomes.addPage)
Object.assign(app.locals, { adverts, stories, query: '', sandboxUrl: sandbox.url })

app.get('/', (_req, res) => {
  res.render('front', { offers: findOffers('').slice(0, 4) })
})

app.get('/stories/:slug', (req, res, next) => {
  const story = findStory(req.params.slug)
  if (!story) return next()
  const offers = findOffers(story.topics).slice(0, 2)
  return res.render('story', { story, offers })
})

app.get('/search', (req, res) => {
  const query = readQuery(req)
  res.render('search', {
    query,
    found: searchStories(query),
    offers: findOffers(query).slice(0, 6),
  })
})

app.use((_req, res) => {
  res.status(404).render('missing')
})

const server = await listenOnPort(SITE_PORT, async (port) => {
  const httpServer = app.listen(port, '127.0.0.1')
  await once(httpServer, 'listening')
  return httpServer
})
const stopped = waitForStopSignal()
printLine(formatGreeting(`http://127.0.0.1:${server.address().port}`, sandbox.url))

await stopped
outcomes.close()
await closeServer(server)
await tracker.close()
await sandbox.close()
printLine(formatSummary(tracker.stats()))

/** The search query. A query string may contain `q` several times, or not at all. */
function readQuery({ query: { q } }) {
  return typeof q === 'string' ? q.trim().slice(0, 200) : ''
}

/** Listens on the port, or on a free one if it is taken. */
async function listenOnPort(port, listen) {
  try {
    return await listen(port)
  } catch (error) {
    if (error.code !== 'EADDRINUSE') throw error
    return listen(0)
  }
}
