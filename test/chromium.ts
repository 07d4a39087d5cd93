import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const DEFAULT_PATH = '/usr/bin/chromium'

/**
 * A real Chromium, headless: the one that `CHROMIUM_PATH` names, else Debian's. Where there is none
 * the test fails: what a browser does is not shown by skipping it.
 */
export async function launchChromium(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM_PATH || DEFAULT_PATH
  if (!existsSync(executablePath)) {
    throw new Error(
      `no Chromium at ${executablePath}: install it (apt-get install chromium), or name it in CHROMIUM_PATH`,
    )
  }
  return chromium.launch({
    executablePath,
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
