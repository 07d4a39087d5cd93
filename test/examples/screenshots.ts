// The pictures in the README, taken from the demo: npm run screenshots

import { join } from 'node:path'
import { launchChromium } from '../chromium.js'
import { BROWSER, received, Started } from './started.js'

const FOLDER = join(import.meta.dirname, '../../examples/demo/screenshots')

await using demo = new Started('demo')
const site = await demo.line(/Saltmarsh Courier +(http\S+)/)
const sandbox = await demo.line(/networks see +(http\S+)/)
const browser = await launchChromium()
try {
  const context = await browser.newContext({
    userAgent: BROWSER['user-agent'],
    viewport: { width: 1160, height: 860 },
    colorScheme: 'light',
  })

  const page = await context.newPage()
  await page.goto(`${site}/stories/night-ferry`)
  await page.locator('footer').scrollIntoViewIfNeeded()
  // The banner as it was rendered, and the ad in the story once it had been seen.
  await received(sandbox, 'ens', 2)
  await received(sandbox, 'closient', 2)
  await page.screenshot({ path: join(FOLDER, 'page.png') })

  const networks = await context.newPage()
  await networks.goto(sandbox)
  await networks.getByText('article_inline').first().waitFor()
  await networks.screenshot({ path: join(FOLDER, 'networks.png') })
} finally {
  await browser.close()
}
