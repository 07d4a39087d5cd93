// Takes the README's screenshots from the demo: npm run screenshots

import { join } from 'node:path'
import { launchChromium } from '../chromium.js'
import { BROWSER_HEADERS, NpmProgram, waitForImpressions } from './npm-program.js'

const FOLDER = join(import.meta.dirname, '../../examples/demo/screenshots')

await using demo = new NpmProgram('demo')
const site = await demo.waitForLine(/Saltmarsh Courier +(http\S+)/)
const sandbox = await demo.waitForLine(/networks receive +(http\S+)/)
const browser = await launchChromium()
try {
  const context = await browser.newContext({
    userAgent: BROWSER_HEADERS['user-agent'],
    viewport: { width: 1160, height: 860 },
    colorScheme: 'light',
  })

  const page = await context.newPage()
  await page.goto(`${site}/stories/night-ferry`)
  await page.locator('footer').scrollIntoViewIfNeeded()
  // The banner counts when it is rendered, the ad in the story once it is visible.
  await waitForImpressions(sandbox, 'ens', 2)
  await waitForImpressions(sandbox, 'closient', 2)
  await page.screenshot({ path: join(FOLDER, 'page.png') })

  const networks = await context.newPage()
  await networks.goto(sandbox)
  await networks.getByText('article_inline').first().waitFor()
  await networks.screenshot({ path: join(FOLDER, 'networks.png') })
} finally {
  await browser.close()
}
