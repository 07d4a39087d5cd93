import assert from 'node:assert/strict'
import type { Reader } from './reader.js'
import { testBesideEachOther } from './scenes.js'

const WAYS_TO_LEAVE: Readonly<Record<string, (reader: Reader) => Promise<unknown>>> = {
  'is closed': ({ tab }) => tab.close(),
  'is left for another': ({ tab }) => tab.goto('about:blank'),
}

describe('what has been seen', () => {
  testBesideEachOther({
    ...Object.fromEntries(
      Object.entries(WAYS_TO_LEAVE).map(([way, leave]) => [
        `is not lost when the page ${way} straight after the second`,
        async ({ open }) => {
          let leaving = 0
          const leaveOnce = async () => {
            const reader = await open(({ ad }) => ad('seen'), { isHasty: false })
            const isSeen = await reader.hasJustSeen('seen')
            await leave(reader)
            if (!isSeen) return
            await reader.counts('seen')
            await reader.settled()
            // What was under way may have been reported again, which is a duplicate.
            assert.deepEqual(reader.counted, ['seen'])
            leaving += 1
          }
          while (leaving < 4)
            await Promise.all([leaveOnce(), leaveOnce(), leaveOnce(), leaveOnce()])
        },
      ]),
    ),

    async 'is reported again once there is a network, and counts once'({ openApart, publisher }) {
      const reader = await openApart(({ ad }) => ad('seen'), { isHasty: false })
      await reader.tab.context().setOffline(true)
      await reader.tab.waitForEvent('requestfailed')
      await reader.tab.waitForEvent('requestfailed')
      assert.deepEqual(reader.counted, [])
      await reader.tab.context().setOffline(false)
      await reader.counts('seen')
      await reader.settled()
      assert.deepEqual(publisher.outcomes(reader.path), ['seen delivered'])
    },

    async 'is reported again to a server that fails, and counts once'({ open, publisher }) {
      const reader = await open(({ ad }) => ad('seen'), { isHasty: false })
      const reports = publisher.reports(reader.path, (count, res) => {
        if (count === 1) res.writeHead(503).end()
        if (count === 2) res.destroy()
      })
      await reader.counts('seen')
      await reader.settled()
      assert.equal(reports.length, 3)
      assert.deepEqual(publisher.outcomes(reader.path), ['seen delivered'])
    },

    async 'within a second goes in one report'({ open, publisher }) {
      const reader = await open(
        ({ ad }) =>
          ['one', 'two', 'three'].map((name) => ad(name, { style: 'height:90px' })).join(''),
        { isHasty: false },
      )
      const reports = publisher.reports(reader.path)
      await reader.counts('one', 'two', 'three')
      assert.equal(reports.length, 1)
    },

    async 'is reported once where the page has the script twice'({ open, publisher }) {
      const reader = await open(
        ({ ad, track }) => `${ad('seen')}${track.script()}${track.script()}`,
        { isHasty: false },
      )
      const reports = publisher.reports(reader.path)
      await reader.counts('seen')
      await reader.tab.evaluate(() => new Promise((resolve) => setTimeout(resolve, 1_500)))
      assert.equal(reports.length, 1)
    },

    async 'leaves no global behind but window.adImpressions'({ open }) {
      const reader = await open(
        ({ ad }) => `<script>var before = Object.getOwnPropertyNames(window)</script>${ad('seen')}`,
      )
      await reader.counts('seen')
      const added = await reader.tab.evaluate(() => {
        const before: unknown = Reflect.get(window, 'before')
        const known = Array.isArray(before) ? before : []
        return Object.getOwnPropertyNames(window).filter((name) => !known.includes(name))
      })
      assert.deepEqual(added, ['adImpressions'])
    },

    async 'counts again when the page is loaded again'({ open, publisher }) {
      const reader = await open(({ ad }) => ad('seen'))
      await reader.counts('seen')
      await reader.tab.reload()
      await reader.makeHasty()
      while (reader.counted.length < 2) await publisher.hearsOneMore()
      assert.deepEqual(reader.counted, ['seen', 'seen'])
    },

    async 'counts under a strict Content-Security-Policy, and violates none'({ open, publisher }) {
      const reader = await open(() => '<title>a page to begin with</title>', { isHasty: false })
      const path = publisher.serve(
        ({ ad, track, res }) => {
          const policy = "default-src 'none'; script-src 'nonce-bm9uY2U='; connect-src 'self'"
          res.setHeader('content-security-policy', policy)
          return `<!doctype html>${ad('seen', { style: null })}${track.script({ nonce: 'bm9uY2U=' })}`
        },
        { hasScript: false },
      )
      const said: string[] = []
      reader.tab.on('console', (message) => said.push(message.text()))
      reader.tab.on('pageerror', (error) => said.push(error.message))
      await reader.tab.addInitScript(() => {
        document.addEventListener(
          'securitypolicyviolation',
          ({ effectiveDirective, blockedURI }) => {
            console.log('violated', effectiveDirective, blockedURI)
          },
        )
      })
      await reader.tab.goto(`${publisher.origin}${path}`)
      await publisher.counts(path, 'seen')
      // And as the page is left.
      await reader.tab.goto('about:blank')
      assert.deepEqual(said, [])
    },
  })
})
