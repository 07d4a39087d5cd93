import assert from 'node:assert/strict'
import { testConcurrently } from './concurrent-scenarios.js'
import type { TestPage } from './test-page.js'

const WAYS_TO_LEAVE: Readonly<Record<string, (page: TestPage) => Promise<unknown>>> = {
  'is closed': ({ tab }) => tab.close(),
  'navigates to another page': ({ tab }) => tab.goto('about:blank'),
}

describe('an ad that has been viewable', () => {
  testConcurrently({
    ...Object.fromEntries(
      Object.entries(WAYS_TO_LEAVE).map(([way, leave]) => [
        `is not lost when its page ${way} right after the second`,
        async ({ open }) => {
          let timesLeft = 0
          const leaveOnce = async () => {
            const page = await open(({ ad }) => ad('seen'), { flushesContinuously: false })
            const isViewable = await page.waitUntilViewable('seen')
            await leave(page)
            if (!isViewable) return
            await page.waitUntilCounted('seen')
            await page.waitUntilDelivered()
            // A report that was under way may be sent again: then its outcome is `duplicate`.
            assert.deepEqual(page.counted, ['seen'])
            timesLeft += 1
          }
          while (timesLeft < 4)
            await Promise.all([leaveOnce(), leaveOnce(), leaveOnce(), leaveOnce()])
        },
      ]),
    ),

    async 'is reported again when the browser is back online, and counts once'({
      openInOwnContext,
      site,
    }) {
      const page = await openInOwnContext(({ ad }) => ad('seen'), { flushesContinuously: false })
      await page.tab.context().setOffline(true)
      await page.tab.waitForEvent('requestfailed')
      await page.tab.waitForEvent('requestfailed')
      assert.deepEqual(page.counted, [])
      await page.tab.context().setOffline(false)
      await page.waitUntilCounted('seen')
      await page.waitUntilDelivered()
      assert.deepEqual(site.outcomes(page.path), ['seen delivered'])
    },

    async 'is reported again after the server failed, and counts once'({ open, site }) {
      const page = await open(({ ad }) => ad('seen'), {
        flushesContinuously: false,
        failReport(count, res) {
          if (count === 1) res.writeHead(503).end()
          if (count === 2) res.destroy()
        },
      })
      await page.waitUntilCounted('seen')
      await page.waitUntilDelivered()
      assert.equal(page.reports.length, 3)
      assert.deepEqual(site.outcomes(page.path), ['seen delivered'])
    },

    async 'goes into one report with the others of the same second'({ open }) {
      const page = await open(
        ({ ad }) =>
          ['one', 'two', 'three'].map((name) => ad(name, { style: 'height:90px' })).join(''),
        { flushesContinuously: false },
      )
      await page.waitUntilCounted('one', 'two', 'three')
      assert.equal(page.reports.length, 1)
    },

    async 'is reported once if the page has the script twice'({ open }) {
      const page = await open(
        ({ ad, track }) => `${ad('seen')}${track.script()}${track.script()}`,
        { flushesContinuously: false },
      )
      await page.waitUntilCounted('seen')
      await page.tab.evaluate(() => new Promise((resolve) => setTimeout(resolve, 1_500)))
      assert.equal(page.reports.length, 1)
    },

    async 'adds no global except window.adImpressions'({ open }) {
      const page = await open(
        ({ ad }) => `<script>var before = Object.getOwnPropertyNames(window)</script>${ad('seen')}`,
      )
      await page.waitUntilCounted('seen')
      const added = await page.tab.evaluate(() => {
        const before: unknown = Reflect.get(window, 'before')
        const known = Array.isArray(before) ? before : []
        return Object.getOwnPropertyNames(window).filter((name) => !known.includes(name))
      })
      assert.deepEqual(added, ['adImpressions'])
    },

    async 'counts again when the page is loaded again'({ open, site }) {
      const page = await open(({ ad }) => ad('seen'))
      await page.waitUntilCounted('seen')
      await page.tab.reload()
      await page.flushContinuously()
      while (page.counted.length < 2) await site.waitForNextImpression()
      assert.deepEqual(page.counted, ['seen', 'seen'])
    },

    async 'counts under a strict Content-Security-Policy, without a violation'({ open, site }) {
      const page = await open(() => '<title>first page</title>', { flushesContinuously: false })
      const path = site.serve(
        ({ ad, track, res }) => {
          const policy = "default-src 'none'; script-src 'nonce-bm9uY2U='; connect-src 'self'"
          res.setHeader('content-security-policy', policy)
          return `<!doctype html>${ad('seen', { style: null })}${track.script({ nonce: 'bm9uY2U=' })}`
        },
        { hasScript: false },
      )
      const messages: string[] = []
      page.tab.on('console', (message) => messages.push(message.text()))
      page.tab.on('pageerror', (error) => messages.push(error.message))
      await page.tab.addInitScript(() => {
        document.addEventListener(
          'securitypolicyviolation',
          ({ effectiveDirective, blockedURI }) => {
            console.log('violated', effectiveDirective, blockedURI)
          },
        )
      })
      await page.tab.goto(`${site.origin}${path}`)
      await site.waitUntilCounted(path, 'seen')
      // The report that is sent when the page is left must not violate the policy either.
      await page.tab.goto('about:blank')
      assert.deepEqual(messages, [])
    },
  })
})
