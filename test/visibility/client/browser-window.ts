import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { type BrowserContext, chromium } from 'playwright-core'
import { launchChromium } from '../../chromium.js'
import { CHROME_USER_AGENT } from '../../request/ad-site.js'

/** A browser window in which only one tab is visible at a time, as for a real user. */
export interface BrowserWindow extends AsyncDisposable {
  readonly tabs: BrowserContext
}

/**
 * Opens a browser window.
 *
 * In a browser that Playwright launches, all tabs are visible at once. Tabs behave as usual if
 * Playwright connects to a browser that is already running, with `noDefaults`.
 */
export async function openBrowserWindow(): Promise<BrowserWindow> {
  const browser = await launchChromium({
    args: [
      '--remote-debugging-port=0',
      // Required to read the command line below, which names the profile and so leads to the port.
      '--enable-automation',
      `--user-agent=${CHROME_USER_AGENT}`,
      '--window-size=1000,900',
    ],
    withoutArgs: [
      '--disable-back-forward-cache',
      '--disable-background-timer-throttling',
      '--disable-backgrounding-occluded-windows',
      '--disable-renderer-backgrounding',
    ],
  })
  const session = await browser.newBrowserCDPSession()
  const { arguments: args } = await session.send('Browser.getBrowserCommandLine')
  const profile = args.find((arg) => arg.startsWith('--user-data-dir='))?.split('=')[1] ?? ''
  const [port] = (await readFile(path.join(profile, 'DevToolsActivePort'), 'utf8')).split('\n')
  const connected = await chromium.connectOverCDP(`http://127.0.0.1:${port}`, { noDefaults: true })
  const [tabs] = connected.contexts()
  if (!tabs) throw new Error('the browser has no window')
  return {
    tabs,
    async [Symbol.asyncDispose]() {
      await connected.close()
      await browser.close()
    },
  }
}
