import { createHash } from 'node:crypto'
import type { Reply } from '../../request/reply.js'
import { MAX_IMPRESSIONS, MAX_PAGE_LOADS } from './page-loads.js'
import { PAGE_SCRIPT } from './page-script.js'
import { PAGE_STYLE } from './page-style.js'

/**
 * Only the page's own style and script run, and nothing is loaded from elsewhere: the page shows what
 * anyone who requests a page has chosen.
 */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'",
    `style-src ${hashSource(PAGE_STYLE)}`,
    `script-src ${hashSource(PAGE_SCRIPT)}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
}

// The page is the same for everyone: its script fetches the data. So nothing in it needs escaping.
const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Ad impressions inspector</title>
<link rel="icon" href="data:,">
<style>${PAGE_STYLE}</style>
</head>
<body>
<header>
  <h1>Ad impressions inspector</h1>
  <p id="connection" role="status"><span class="dot"></span><span>Connecting</span></p>
  <button type="button" id="pause" class="end" aria-pressed="false">Pause</button>
</header>
<main>
  <noscript><p>This page needs JavaScript.</p></noscript>
  <h2>Networks now</h2>
  <div id="networks"></div>
  <h2 id="outcomes">Outcomes of the last 15 minutes</h2>
  <section class="card" aria-labelledby="outcomes">
    <svg role="img" aria-labelledby="outcomes" aria-describedby="legend"></svg>
    <ul class="legend" id="legend"></ul>
    <p class="soft" id="bucket"></p>
  </section>
  <div class="row">
    <h2>Latest page loads</h2>
    <label class="end"><input type="checkbox" id="hide-delivered"> Hide what was delivered</label>
  </div>
  <p class="soft" id="none"></p>
  <div id="page-loads"></div>
  <footer class="soft">This process only: its last ${MAX_PAGE_LOADS} page loads, with ${MAX_IMPRESSIONS} impressions each. Each reason begins with a code, which docs/reasons.md explains.</footer>
</main>
<script>${PAGE_SCRIPT}</script>
</body>
</html>
`

/** The answer to a request for the page. */
export const PAGE_REPLY: Reply = {
  status: 200,
  headers: { ...SECURITY_HEADERS, 'content-type': 'text/html; charset=utf-8' },
  body: Buffer.from(PAGE),
}

function hashSource(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}
