import { createHash } from 'node:crypto'
import { PAGE_SCRIPT } from './page-script.js'
import { PAGE_STYLE } from './page-style.js'

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
export function renderPage(
  networks: Record<'ens' | 'closient', { readonly baseUrl: string }>,
): string {
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
  <p class="soft">ENS and Closient on loopback. Nothing leaves this machine.</p>
  <p class="state" role="status"><span class="dot"></span><span>Connecting</span></p>
</header>
<main>
  <p class="aside" id="announcement" role="status"></p>
  <p class="aside" id="summary" aria-live="polite"></p>
  <section class="card plot" aria-labelledby="plot-title">
    <div class="head">
      <h2 id="plot-title">Impressions per second</h2>
      <ul class="legend">
        <li data-network="ens"><span class="swatch"></span>ENS <b>0</b></li>
        <li data-network="closient"><span class="swatch"></span>Closient <b>0</b></li>
        <li class="soft" id="when">last second</li>
      </ul>
    </div>
    <svg role="img" aria-label="Impressions per second over the last two minutes"></svg>
  </section>
  <div class="pair">
    ${renderCard({
      network: 'ens',
      title: 'ENS',
      baseUrl: networks.ens.baseUrl,
      budget: '<p class="soft">ENS does not publish a limit.</p>',
      columns: ['Time', 'Campaign', 'Placement', 'Country', 'Device'],
      more: renderFaultButton('Answer 200 with an error', ERROR_WITH_200),
    })}
    ${renderCard({
      network: 'closient',
      title: 'Closient',
      baseUrl: networks.closient.baseUrl,
      budget: '',
      columns: ['Time', 'Campaign', 'Offer', 'Search query'],
      more: '<button type="button" class="spend">Use 50 calls elsewhere</button>',
    })}
  </div>
  <p class="foot soft">Faults stay set until you click them again. <button type="button" class="reset">Clear everything</button></p>
</main>
<script>${PAGE_SCRIPT}</script>
</body>
</html>
`
}

const FAULTS: readonly (readonly [label: string, fault: object])[] = [
  ['Answer 500', { status: 500 }],
  ['Answer 429, retry after 5 s', { status: 429, headers: { 'retry-after': '5' } }],
  ['Answer 502', { status: 502 }],
  ['Answer after 2 s', { delayMs: 2000 }],
  ['Never answer', { hang: true }],
  ['Reset before reading', { reset: 'before-read' }],
  ['Reset after reading', { reset: 'after-read' }],
  ['Cut off the answer', { cutOff: true }],
]

const ERROR_WITH_200 = {
  status: 200,
  body: { status: 'error', message: 'campaign is not active' },
  counts: false,
}

// All texts come from this file, so nothing needs escaping.
function renderCard(content: {
  network: string
  title: string
  baseUrl: string
  budget: string
  columns: readonly string[]
  more: string
}): string {
  const { network, title, baseUrl, budget, columns, more } = content
  const buttons = FAULTS.map(([label, fault]) => renderFaultButton(label, fault))
  return `<section class="card" data-network="${network}" aria-labelledby="${network}-title">
      <div class="head"><h2 id="${network}-title"><span class="swatch"></span>${title}</h2><code>${baseUrl}</code></div>
      <dl class="figures">
        <div><dt>Impressions counted</dt><dd class="impressions">–</dd></div>
        <div><dt>Calls</dt><dd class="calls">–</dd></div>
        <div><dt>Calls that failed</dt><dd class="failed">–</dd></div>
      </dl>
      <div class="halves">
        <div><h3>Calls left</h3><div class="budget">${budget}</div></div>
        <div>
          <h3 id="${network}-ends">How calls ended</h3>
          <table class="ends" aria-labelledby="${network}-ends">
            <thead class="aside"><tr><th scope="col">Result</th><th scope="col">Calls</th></tr></thead>
            <tbody></tbody>
          </table>
        </div>
      </div>
      <h3>Faults</h3>
      <div class="buttons">${buttons.join('')}<button type="button" class="refuse" aria-pressed="false">Refuse connections</button>${more}</div>
      <p class="set">No fault set</p>
      <h3 id="${network}-latest">Latest impressions</h3>
      <div class="scroll"><table class="latest" aria-labelledby="${network}-latest">
        <thead><tr>${columns.map((name) => `<th scope="col">${name}</th>`).join('')}</tr></thead>
        <tbody></tbody>
      </table></div>
    </section>`
}

function renderFaultButton(label: string, fault: object): string {
  return `<button type="button" aria-pressed="false" data-fault='${JSON.stringify(fault)}'>${label}</button>`
}

function hashSource(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}
