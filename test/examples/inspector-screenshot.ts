// Takes the screenshot of docs/inspector.md: npm run screenshots

import { join } from 'node:path'
import { systemClock } from '../../lib/clock.js'
import { launchChromium } from '../chromium.js'
import type { FrameworkPage } from '../frameworks/framework.js'
import { startInspectedSite } from '../observability/inspector/inspected-site.js'
import { closientAd, ensAd } from '../page-load/campaigns.js'
import { BOT_HEADERS } from '../page-load/fetch-page.js'

const FILE = join(import.meta.dirname, '../../examples/demo/screenshots/inspector.png')
const STEPS = 60
const STEP_MS = 10_000

/** Each step takes ten seconds of the inspector's time. */
let aheadMs = -STEPS * STEP_MS
const clock = {
  ...systemClock,
  now: () => systemClock.now() + aheadMs,
  wallNow: () => systemClock.wallNow() + aheadMs,
}

const page: FrameworkPage = ({ trackImpression, req, answer }) => {
  trackImpression(ensAd())
  if (req.url?.startsWith('/offers')) trackImpression(closientAd())
  if (req.url?.startsWith('/stories')) {
    trackImpression({ campaignId: 42, placement: 'footer' })
    Reflect.apply(trackImpression, undefined, [{ campaignId: 'spring', placement: 'sidebar' }])
  }
  answer('a page')
}

await using site = await startInspectedSite({ clock, page })
const browser = await launchChromium()
try {
  for (let step = 0; step < STEPS; step += 1) {
    aheadMs += STEP_MS
    const visits = 3 + Math.round(2 * Math.sin(step / 6))
    for (let visit = 0; visit < visits; visit += 1) await site.request('/news')
    if (step % 3 === 0) await site.request('/stories/night-ferry')
    if (step % 4 === 0) await site.request('/offers')
    if (step % 5 === 0) await site.request('/news', BOT_HEADERS)
  }
  await site.request('/offers/spring')
  await site.request('/news', BOT_HEADERS)
  await site.request('/stories/night-ferry')
  await site.tracker.flush()

  const context = await browser.newContext({ viewport: { width: 960, height: 1040 } })
  const inspector = await context.newPage()
  await inspector.goto(`http://127.0.0.1:${site.port}/_visible/inspector`)
  await inspector.getByText('Live', { exact: true }).waitFor()
  await inspector.screenshot({ path: FILE })
} finally {
  await browser.close()
}
