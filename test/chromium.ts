import { type Browser, chromium } from 'playwright-core'
import { pathOf } from './prerequisites.js'

interface Launch {
  readonly args?: readonly string[]
  /** Of those that playwright gives of itself. */
  readonly withoutArgs?: readonly string[]
}

/** A real Chromium, headless. */
export async function launchChromium({
  args = [],
  withoutArgs = [],
}: Launch = {}): Promise<Browser> {
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
      ...args,
    ],
    ignoreDefaultArgs: [...withoutArgs],
  })
}
