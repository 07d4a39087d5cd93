import { createHash } from 'node:crypto'
import type { SandboxNetworks } from './create-networks.js'
import { PAGE_SCRIPT } from './page-script.js'
import { PAGE_STYLE } from './page-style.js'
import { createPanel, type Panel, renderPanel } from './render-panel.js'

/**
 * Only the page's own style and script are allowed, and nothing is loaded from elsewhere, because
 * the page shows input from anyone who calls the networks.
 */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': [
    "default-src 'none'",
    `style-src ${hashSource(PAGE_STYLE)}`,
    `script-src ${hashSource(PAGE_SCRIPT)}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
}

/** Renders the empty page. The script fills it when the first event arrives. */
export function renderPage(networks: SandboxNetworks['all']): string {
  const panels = [...networks].map(([name, network]) => createPanel(name, network))
  const titles = panels.map(({ title }) => title)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Ad network sandbox</title>
<link rel="icon" href="data:,">
<style>${PAGE_STYLE}</style>
</head>
<body>
<header class="top">
  <h1>Ad network sandbox</h1>
  <p class="soft">${listNames(titles)} on loopback. Nothing leaves this machine.</p>
  <p class="state" role="status"><span class="dot"></span><span>Connecting</span></p>
</header>
<main>
  <p class="aside" id="announcement" role="status"></p>
  <p class="aside" id="summary" aria-live="polite"></p>
  <section class="card plot" aria-labelledby="plot-title">
    <div class="head">
      <h2 id="plot-title">Impressions per second</h2>
      <ul class="legend">
        ${panels.map(renderLegend).join('')}
        <li class="failures"><span class="swatch"></span>Failed calls <b>0</b></li>
        <li class="soft" id="when">last second</li>
      </ul>
    </div>
    <svg role="img" aria-label="Impressions per second over the last two minutes"></svg>
  </section>
  <div class="pair">
    ${panels.map(renderPanel).join('')}
  </div>
  <p class="foot soft">Faults stay set until you click them again. <button type="button" class="reset">Clear everything</button></p>
</main>
<dialog id="call" aria-labelledby="call-title">
  <div class="head"><h2 id="call-title"></h2><button type="button" class="close">Close</button></div>
  <p class="line soft"></p>
  <h3>Headers</h3>
  <pre class="headers"></pre>
  <h3>Body</h3>
  <pre class="body"></pre>
</dialog>
<script>${PAGE_SCRIPT}</script>
</body>
</html>
`
}

function listNames(names: readonly string[]): string {
  return new Intl.ListFormat('en').format(names)
}

function renderLegend({ name, title }: Panel, index: number): string {
  return `<li data-network="${name}" data-series="${index}"><span class="swatch"></span>${title} <b>0</b></li>`
}

function hashSource(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}
