// htmx: a page and the fragments that it fetches share one page load. Start it with: npm run example htmx

import { fileURLToPath } from 'node:url'
import { impressions } from 'ad-impressions'
import express from 'express'
import { banner, products } from '../ads.js'
import { escapeHtml } from '../escape-html.js'
import { startSandboxUnlessKeys } from '../start-sandbox.js'
import { waitUntilStopped } from '../wait-until-stopped.js'

const STORIES = 4

/** Shown in the stories that htmx fetches, not on the page itself. */
const seeds = {
  campaignId: 'mhvXdrZT4jP5T8vBxuvm75',
  offerId: 'CXc85b4rqinB7s5J52TRYb',
  url: 'https://example.com/seeds',
  text: 'Seeds for a garden that bees like',
}

const sandbox = await startSandboxUnlessKeys()

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
  ${renderBanner(trackImpression)}
  <ul>${products.map((product) => renderProduct(product, trackImpression)).join('')}</ul>
  ${renderNextStory(1)}
</html>`)
})

// The banner counts once, with the page. The seeds count once, with the first story.
app.get('/stories/:number', (req, res) => {
  const { trackImpression } = res.locals
  const number = Number(req.params.number)
  res.send(`<section class="story">
    <h2>Story ${number}</h2>
    ${renderBanner(trackImpression)}
    <ul>${renderProduct(seeds, trackImpression)}</ul>
  </section>
  ${number < STORIES ? renderNextStory(number + 1) : ''}`)
})

/** htmx replaces this element with the story once it scrolls into view. */
const renderNextStory = (number) =>
  `<div class="story" hx-get="/stories/${number}" hx-trigger="revealed" hx-swap="outerHTML"></div>`

const renderBanner = (trackImpression) => `<a href="${escapeHtml(banner.url)}">
    <img src="${banner.image}" alt="${escapeHtml(banner.text)}">
  </a>
  ${trackImpression({ campaignId: banner.id, placement: 'header_banner' })}`

const renderProduct = ({ campaignId, offerId, url, text }, trackImpression) => `<li>
    <a href="${escapeHtml(url)}">${escapeHtml(text)}</a>
    ${trackImpression({ campaignId, offerId })}
  </li>`

await waitUntilStopped(app.listen(process.env.PORT ?? 3000))
await tracker.close() // delivers pending impressions
await sandbox?.close()
