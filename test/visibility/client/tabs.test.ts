import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { FRAMEWORKS, type FrameworkName } from '../../request/ad-site.js'
import { Publisher } from './publisher.js'
import { IN_THE_CORNER, later, Reader } from './reader.js'
import { playInTurn, Run } from './run.js'
import { type BrowserWindow, openWindow } from './window.js'

/** Resolves once the tab is, or is not, the one in front. */
async function becomes(tab: Page, state: DocumentVisibilityState): Promise<void> {
  await tab.waitForFunction((expected) => document.visibilityState === expected, state, {
    // A hidden tab has no frames.
    polling: 50,
  })
}

type Scene = (window: BrowserWindow, publisher: Publisher) => Promise<void>

const SCENES: Readonly<Record<string, Scene>> = {
  async 'does not count in a hidden tab, and a full second after that is shown'(window, publisher) {
    const behind = await Reader.open(publisher, window.tabs, ({ ad }) => later('ad', ad('ad')))
    const inFront = await Reader.open(publisher, window.tabs, ({ ad }) =>
      later('witness', ad('witness')),
    )
    await becomes(behind.tab, 'hidden')
    await behind.add('ad')
    await inFront.outlasts('witness')
    assert.deepEqual(behind.counted, [])
    const shownAtMs = performance.now()
    await behind.tab.bringToFront()
    await behind.counts('ad')
    assert.ok(performance.now() - shownAtMs >= 1_000)
  },

  async 'begins its second anew when its tab is hidden and shown again'(window, publisher) {
    const reader = await Reader.open(publisher, window.tabs, ({ ad }) => later('ad', ad('ad')))
    const inFront = await Reader.open(publisher, window.tabs, ({ ad }) =>
      later('witness', ad('witness')),
    )
    // Where the machine stood still for so long that it counts indeed, it is tried anew.
    for (let shownMs = Number.POSITIVE_INFINITY; shownMs >= 1_000; ) {
      await reader.tab.bringToFront()
      await reader.load()
      const shownAtMs = await reader.tab.evaluate(() => {
        document.addEventListener('visibilitychange', ({ timeStamp }) => {
          document.body.dataset.hiddenAtMs = `${timeStamp}`
        })
        return performance.now()
      })
      await reader.add('ad')
      await reader.tab.waitForTimeout(300)
      await inFront.tab.bringToFront()
      await becomes(reader.tab, 'hidden')
      const hiddenAtMs = await reader.tab.getAttribute('body', 'data-hidden-at-ms')
      shownMs = Number(hiddenAtMs) - shownAtMs
    }
    await inFront.outlasts('witness')
    assert.deepEqual(reader.counted, [])
    const shownAtMs = performance.now()
    await reader.tab.bringToFront()
    await reader.counts('ad')
    assert.ok(performance.now() - shownAtMs >= 1_000)
  },

  async 'is reported as soon as its tab is hidden'(window, publisher) {
    const [other] = window.tabs.pages()
    // Where the machine stood still for so long that it was reported before, it is tried anew.
    for (let mode = 'cors'; mode === 'cors'; ) {
      const reader = await Reader.open(publisher, window.tabs, ({ ad }) => ad('ad'), {
        isHasty: false,
      })
      const reports = publisher.reports(reader.path)
      const isSeen = await reader.hasJustSeen('ad')
      await other?.bringToFront()
      if (!isSeen) continue
      await reader.counts('ad')
      await reader.settled()
      assert.deepEqual(publisher.outcomes(reader.path), ['ad delivered'])
      assert.equal(reports.length, 1)
      mode = reports[0] ?? ''
    }
  },

  async 'counts once though its page is left and restored, and then if it was yet to be seen'(
    window,
    publisher,
  ) {
    const reader = await Reader.open(
      publisher,
      window.tabs,
      ({ ad }) =>
        `${ad('seen')}<div style="height:2000px"></div>${ad('unseen')}<div style="height:900px"></div>` +
        later('witness', ad('witness', { style: IN_THE_CORNER })),
    )
    const elsewhere = publisher.serve(() => 'another page', { hasScript: false })
    await reader.counts('seen')
    await reader.tab.evaluate(() => document.body.setAttribute('data-is-kept', ''))
    await reader.tab.goto(`${publisher.origin}${elsewhere}`)
    await reader.tab.goBack({ waitUntil: 'commit' })
    assert.equal(await reader.tab.locator('body[data-is-kept]').count(), 1)
    await reader.outlasts('witness')
    assert.deepEqual(publisher.outcomes(reader.path), ['seen delivered', 'witness delivered'])
    await reader.scrollTo('unseen')
    await reader.counts('unseen')
    await reader.settled()
    assert.deepEqual(publisher.outcomes(reader.path), [
      'seen delivered',
      'unseen delivered',
      'witness delivered',
    ])
  },

  async 'counts on a prerendered page once that is activated'(window, publisher) {
    const purposes: unknown[] = []
    const next = publisher.serve(({ ad, req }) => {
      purposes.push(req.headers['sec-purpose'])
      return ad('ad')
    })
    const reader = await Reader.open(
      publisher,
      window.tabs,
      ({ ad }) =>
        `<script type="speculationrules">
             {"prerender": [{"urls": ["${next}"], "eagerness": "immediate"}]}
           </script><a href="${next}">next</a>${later('witness', ad('witness'))}`,
    )
    const reports = publisher.reports(next)
    while (purposes.length === 0) await reader.tab.waitForTimeout(50)
    await reader.outlasts('witness')
    assert.deepEqual(purposes, ['prefetch;prerender'])
    assert.deepEqual([publisher.counted(next), reports], [[], []])
    const activatedAtMs = performance.now()
    await reader.tab.click('a')
    await publisher.counts(next, 'ad')
    assert.ok(performance.now() - activatedAtMs >= 1_000)
    // The page that was prerendered, and no other one.
    assert.equal(purposes.length, 1)
  },
}

// The frameworks' scenes play beside each other, each in its own window, where one tab is in front.
describe('an ad in a window of tabs', () => {
  const open: AsyncDisposable[] = []
  const runs = new Map<FrameworkName, Map<string, Run>>()
  before(async () => {
    for (const framework of FRAMEWORKS) {
      const publisher = await Publisher.start(framework)
      open.push(publisher)
      const window = await openWindow()
      open.push(window)
      const plays = Object.entries(SCENES).map(
        ([name, play]) => [name, new Run(() => play(window, publisher))] as const,
      )
      runs.set(framework, new Map(plays))
    }
    for (const [, its] of runs) playInTurn([...its.values()], 1)
  })
  after(async () => {
    for (const one of open) await one[Symbol.asyncDispose]()
  })

  for (const framework of FRAMEWORKS) {
    describe(`from ${framework}`, () => {
      for (const name of Object.keys(SCENES)) {
        it(name, () => runs.get(framework)?.get(name)?.end).timeout(90_000)
      }
    })
  }
})
