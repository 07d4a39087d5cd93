import { type Browser, chromium } from 'playwright-core'
import { pathOf } from './prerequisites.js'

/** A real Chromium, headless. */
export async function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: pathOf('chromium'),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}
