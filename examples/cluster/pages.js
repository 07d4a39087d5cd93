import { banner, products } from '../ads.js'
import { escapeHtml } from '../escape-html.js'

export const renderPage = (trackImpression) => `<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <title>The Daily Example</title>
  <style>
    td, th { padding: 0.1rem 0.8rem; text-align: right }
    tr:last-child { font-weight: bold }
  </style>
  <h1>The Daily Example</h1>
  ${renderBanner(trackImpression)}
  <ul>${products.map((product) => renderProduct(product, trackImpression)).join('')}</ul>
  <div id="story"></div>
  <div id="fleet"></div>
  <script>
    async function load(name) {
      const response = await fetch(name)
      document.getElementById(name).innerHTML = await response.text()
    }
    load('story')
    setInterval(() => load('fleet').catch(() => {}), 1000)
  </script>
</html>`

export const renderStory = (trackImpression) => `
  <h2>A story with the banner again</h2>
  ${renderBanner(trackImpression)}
  <p>Sent by process ${process.pid}</p>`

const renderBanner = (trackImpression) => `<a href="${escapeHtml(banner.url)}">
    <img src="${banner.image}" alt="${escapeHtml(banner.text)}">
  </a>
  ${trackImpression({ campaignId: banner.id, placement: 'header_banner' })}`

const renderProduct = ({ campaignId, offerId, url, text }, trackImpression) => `<li>
    <a href="${escapeHtml(url)}">${escapeHtml(text)}</a>
    ${trackImpression({ campaignId, offerId })}
  </li>`

const FIGURES = ['tracked', 'pending', 'delivered', 'duplicate', 'uncertain']

/** What each process counted (`stats()`), and what all of them counted together (`fleetStats()`). */
export function renderFleet(statsByProcess, fleetStats) {
  const networks = ['ens', 'closient']
  const columns = networks.flatMap((network) => FIGURES.map((figure) => `${network} ${figure}`))
  const renderRow = (title, stats) => {
    const counts = networks.flatMap((network) => FIGURES.map((figure) => stats?.[network][figure]))
    return `<tr><th>${title}</th>${counts.map((count) => `<td>${count ?? '?'}</td>`).join('')}</tr>`
  }
  return `<table>
    <tr><th></th>${columns.map((column) => `<th>${column}</th>`).join('')}</tr>
    ${statsByProcess.map(([pid, stats]) => renderRow(`process ${pid}`, stats)).join('\n')}
    ${renderRow('the fleet', fleetStats)}
  </table>`
}
