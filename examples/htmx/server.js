// htmx: the page and what it fetches share one page load. To start it: npm run example htmx

import { fileURLToPath } from 'node:url'
import { impressions } from 'ad-impressions'
import express from 'express'
import { banner, products } from '../ads.js'
import { escapeHtml } from '../escape-html.js'
import { sandboxUnlessKeys } from '../networks.js'
import { untilStopped } from '../until-stopped.js'

const STORIES = 4

/** Shown with the stories that htmx fetches, and not on the page itself. */
const seeds = {
  campaignId: 'mhvXdrZT4jP5T8vBxuvm75',
  offerId: 'CXc85b4rqinB7s5J52TRYb',
  url: 'https://example.com/seeds',
  text: 'Seeds for a garden that bees like',
}

const sandbox = await sandboxUnlessKeys()

const app = express()
const tracker = impressions({ pageLoadCookie: true })
app.use(tracker)

app.get('/htmx.js', (_req, res) => {
  res.sendFile(fileURLToPath(import.meta.resolve('htmx.org/dist/htmx.min.js')))
})

app.get('/', (_req, res) => {
  const { trackImpression } = res.locals
  res.send(`<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <title>The Daily Example</title>
  <script src="/htmx.js" defer></script>
  <style>.story { min-height: 80vh }</style>
  <h1>The Daily Example</h1>
  ${bannerAd(trackImpression)}
  <ul>${products.map((product) => productAd(product, trackImpression)).join('')}</ul>
  ${nextStory(1)}
</html>`)
})

// The banner counts with the page, and no more with its stories; the seeds count with the first.
app.get('/stories/:number', (req, res) => {
  const { trackImpression } = res.locals
  const number = Number(req.params.number)
  res.send(`<section class="story">
    <h2>Story ${number}</h2>
    ${bannerAd(trackImpression)}
    <ul>${productAd(seeds, trackImpression)}</ul>
  </section>
  ${number < STORIES ? nextStory(number + 1) : ''}`)
})

/** htmx fetches the story, and puts it here, once this comes into view. */
const nextStory = (number) =>
  `<div class="story" hx-get="/stories/${number}" hx-trigger="revealed" hx-swap="outerHTML"></div>`

const bannerAd = (trackImpression) => `<a href="${escapeHtml(banner.url)}">
    <img src="${banner.image}" alt="${escapeHtml(banner.text)}">
  </a>
  ${trackImpression({ campaignId: banner.id, placement: 'header_banner' })}`

const productAd = ({ campaignId, offerId, url, text }, trackImpression) => `<li>
    <a href="${escapeHtml(url)}">${escapeHtml(text)}</a>
    ${trackImpression({ campaignId, offerId })}
  </li>`

await untilStopped(app.listen(process.env.PORT ?? 3000))
await tracker.close() // delivers what is pending
await sandbox?.close()
