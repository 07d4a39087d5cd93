// A local news site with ads of both networks. To start it: npm run demo

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { closient, ens, impressions } from 'ad-impressions'
import { startSandbox } from 'ad-impressions/sandbox'
import express from 'express'
import { sendLastPages, stopSignal } from '../until-stopped.js'
import { adverts, offersFor } from './campaigns.js'
import { closingWords, greeting, outcomeLine, say } from './console.js'
import { pageNote } from './page-note.js'
import { stories, storiesAbout, storyBySlug } from './stories.js'

const SITE_PORT = Number(process.env.PORT ?? 3000)
const SANDBOX_PORT = SITE_PORT === 0 ? 0 : 4600

// Both networks, on loopback: with their own keys, so that none of yours is ever used here.
const sandbox = await onPort(SANDBOX_PORT, (port) => startSandbox({ port }))

const tracker = impressions({
  networks: [
    ens({ apiKey: sandbox.ens.apiKey, baseUrl: sandbox.ens.baseUrl }),
    closient({
      apiKey: sandbox.closient.apiKey,
      baseUrl: sandbox.closient.baseUrl,
      perOffer: true, // the search page shows several offers of one campaign
    }),
  ],
  country: () => 'GB', // behind a CDN it is the CDN's name, such as 'cloudflare'
  searchQuery: (req) => queryOf(req) || undefined,
  visibility: { secret: randomBytes(32).toString('base64') }, // the same in every process of yours
})
tracker.on('outcome', (event) => say(outcomeLine(event)))

const app = express()
app.disable('x-powered-by')
app.set('views', join(import.meta.dirname, 'views'))
app.set('view engine', 'ejs')
app.use((_req, res, next) => {
  const nonce = randomBytes(16).toString('base64')
  res.locals.nonce = nonce
  // One script, which says which ads have been seen: what the networks are told, the server tells.
  const scripts = `script-src 'nonce-${nonce}'; connect-src 'self'`
  res.set(
    'content-security-policy',
    `default-src 'none'; style-src 'self'; img-src data:; ${scripts}`,
  )
  next()
})
app.use(express.static(join(import.meta.dirname, 'public')))
app.use(tracker)
app.use(pageNote(tracker))
Object.assign(app.locals, { adverts, stories, query: '', sandboxUrl: sandbox.url })

app.get('/', (_req, res) => {
  res.render('front', { offers: offersFor('').slice(0, 4) })
})

app.get('/stories/:slug', (req, res, next) => {
  const story = storyBySlug(req.params.slug)
  if (!story) return next()
  const offers = offersFor(story.topics).slice(0, 2)
  return res.render('story', { story, offers })
})

app.get('/search', (req, res) => {
  const query = queryOf(req)
  res.render('search', { query, found: storiesAbout(query), offers: offersFor(query).slice(0, 6) })
})

app.use((_req, res) => {
  res.status(404).render('missing')
})

const server = await onPort(SITE_PORT, async (port) => {
  const listening = app.listen(port, '127.0.0.1')
  await once(listening, 'listening')
  return listening
})
const stopped = stopSignal()
say(greeting(`http://127.0.0.1:${server.address().port}`, sandbox.url))

await stopped
await sendLastPages(server)
await tracker.close()
await sandbox.close()
say(closingWords(tracker.stats()))

/** What was searched for: a query string may also hold it twice, or not at all. */
function queryOf({ query: { q } }) {
  return typeof q === 'string' ? q.trim().slice(0, 200) : ''
}

/** Listens on that port, or where it is taken on any that is free. */
async function onPort(port, listen) {
  try {
    return await listen(port)
  } catch (error) {
    if (error.code !== 'EADDRINUSE') throw error
    return listen(0)
  }
}
