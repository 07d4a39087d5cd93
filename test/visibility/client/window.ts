import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { type BrowserContext, chromium } from 'playwright-core'
import { launchChromium } from '../../chromium.js'
import { CHROME_USER_AGENT } from '../../request/ad-site.js'

/** A browser's window: of its tabs one is visible, as before a person's eyes. */
export interface BrowserWindow extends AsyncDisposable {
  readonly tabs: BrowserContext
}

/**
 * Opens a window. Tabs that playwright opens believe that they are in front, all of them; not so
 * where it joins a browser that runs already and is asked to leave the browser's ways alone.
 */
export async function openWindow(): Promise<BrowserWindow> {
  const browser = await launchChromium({
    args: [
      '--remote-debugging-port=0',
      // So that it tells where its profile is, and with that its port.
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
  const joined = await chromium.connectOverCDP(`http://127.0.0.1:${port}`, { noDefaults: true })
  const [tabs] = joined.contexts()
  if (!tabs) throw new Error('the browser has no window')
  return {
    tabs,
    async [Symbol.asyncDispose]() {
      await joined.close()
      await browser.close()
    },
  }
}
