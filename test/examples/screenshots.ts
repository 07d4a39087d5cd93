// Takes the screenshots of the documentation from the demo: npm run screenshots

import { join } from 'node:path'
import { launchChromium } from '../chromium.js'
import { BROWSER_HEADERS, NpmProgram } from './npm-program.js'

const FOLDER = join(import.meta.dirname, '../../examples/demo/screenshots')

await using demo = new NpmProgram('demo')
const site = await demo.waitForLine(/Saltmarsh Courier +(http\S+)/)
const sandbox = await demo.waitForLine(/networks receive +(http\S+)/)
const browser = await launchChromium()
try {
  const context = await browser.newContext({
    userAgent: BROWSER_HEADERS['user-agent'],
    viewport: { width: 1100, height: 700 },
    colorScheme: 'light',
  })

  const page = await context.newPage()
  await page.goto(site)
  await page.locator('.sidebar_top').evaluate((ad) => ad.scrollIntoView())
  // The banners count when they are rendered, the ad in the sidebar once it is visible.
  await page.getByText('On this page: 6 delivered, 1 duplicate.').waitFor({ state: 'attached' })
  await page.screenshot({ path: join(FOLDER, 'page.png') })

  const fault = { network: 'ens', fault: { status: 500 }, times: 1 }
  await fetch(`${sandbox}/sandbox/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(fault),
  })
  await page.goto(`${site}/search?q=rain`)
  await page.getByText(/On this page: \d+ delivered\.$/).waitFor({ state: 'attached' })
  const networks = await context.newPage()
  await networks.setViewportSize({ width: 1100, height: 760 })
  await networks.goto(sandbox)
  await networks.getByText('rain', { exact: true }).first().waitFor()
  await networks.screenshot({ path: join(FOLDER, 'networks.png') })
  await networks
    .getByRole('region', { name: 'ENS', exact: true })
    .screenshot({ path: join(FOLDER, 'calls.png') })
} finally {
  await browser.close()
}
