import { type Browser, chromium } from 'playwright-core'
import { findProgram } from './prerequisites.js'

interface LaunchSettings {
  readonly args?: readonly string[]
  /** Default arguments of Playwright to omit. */
  readonly withoutArgs?: readonly string[]
}

/** Launches the installed Chromium without a window. */
export async function launchChromium({
  args = [],
  withoutArgs = [],
}: LaunchSettings = {}): Promise<Browser> {
  return chromium.launch({
    executablePath: findProgram('chromium'),
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
