import assert from 'node:assert/strict'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { LRUCache } from 'lru-cache'
import { CountedCampaigns, Dedupe, OnceKeys } from '../../lib/counting/dedupe.js'
import { assembleTracker } from '../../lib/tracker.js'
import { acme } from '../networks/acme.js'

const HOUR_MS = 3_600_000

/** Opens a page load whose id a request named. */
function openPageLoad(dedupe: Dedupe, requestId: string): CountedCampaigns {
  return dedupe.open({ requestId, canRecur: true })
}

describe('Dedupe', () => {
  it('shares the campaigns of a request id by reference', () => {
    const dedupe = new Dedupe({ max: 10, ttlMs: HOUR_MS, now: () => 1 })
    const counted = openPageLoad(dedupe, 'a')
    counted.add('ens:1')
    assert.equal(openPageLoad(dedupe, 'a'), counted)
    assert.ok(openPageLoad(dedupe, 'a').has('ens:1'))
  })

  it('keeps the campaigns of different request ids apart', () => {
    const dedupe = new Dedupe({ max: 10, ttlMs: HOUR_MS, now: () => 1 })
    openPageLoad(dedupe, 'a').add('ens:1')
    assert.ok(!openPageLoad(dedupe, 'b').has('ens:1'))
    assert.ok(!openPageLoad(dedupe, 'A').has('ens:1'))
    assert.ok(!openPageLoad(dedupe, '__proto__').has('ens:1'))
  })

  it('remembers a page load for ttlMs after its first impression', () => {
    let nowMs = 1_000_000
    const dedupe = new Dedupe({ max: 10, ttlMs: 1_000, now: () => nowMs })
    const counted = openPageLoad(dedupe, 'a')
    nowMs += 1_000
    assert.equal(openPageLoad(dedupe, 'a'), counted)
    nowMs += 1
    assert.notEqual(openPageLoad(dedupe, 'a'), counted)
  })

  it('does not remember a page load longer because it is read', () => {
    let nowMs = 1_000_000
    const dedupe = new Dedupe({ max: 10, ttlMs: 1_000, now: () => nowMs })
    const counted = openPageLoad(dedupe, 'a')
    for (let i = 0; i < 4; i += 1) {
      nowMs += 250
      assert.equal(openPageLoad(dedupe, 'a'), counted)
    }
    nowMs += 1
    assert.notEqual(openPageLoad(dedupe, 'a'), counted)
  })

  it('evicts the least recently used page load', () => {
    const dedupe = new Dedupe({ max: 2, ttlMs: HOUR_MS, now: () => 1 })
    const [a, b] = [openPageLoad(dedupe, 'a'), openPageLoad(dedupe, 'b')]
    assert.equal(openPageLoad(dedupe, 'a'), a)
    openPageLoad(dedupe, 'c')
    assert.equal(openPageLoad(dedupe, 'a'), a)
    assert.notEqual(openPageLoad(dedupe, 'b'), b)
  })

  for (const campaigns of [1, 3, 8, 9, 100]) {
    it(`knows which of ${campaigns} campaigns have counted, and which one was revoked`, () => {
      const counted = new CountedCampaigns('page-1')
      const keys = Array.from({ length: campaigns }, (_, campaign) => `ens:${campaign}`)
      for (const key of keys) counted.add(key)
      assert.deepEqual(
        keys.filter((key) => !counted.has(key)),
        [],
      )
      assert.ok(!counted.has('ens:another'))
      counted.revokedKey = 'ens:0'
      assert.deepEqual(
        keys.filter((key) => !counted.has(key)),
        ['ens:0'],
      )
    })
  }

  it('has one key per network and campaign, however many campaigns there are', () => {
    const [ens, acme] = [new OnceKeys('ens'), new OnceKeys('acme')]
    assert.notEqual(ens.get(42), acme.get(42))
    const first = ens.get(42)
    for (let campaign = 0; campaign < 30_000; campaign += 1) ens.get(campaign)
    assert.equal(ens.get(42), first)
  })

  it('does not evict a page load whose id was created here because of ids from requests', () => {
    const dedupe = new Dedupe({ max: 2, ttlMs: HOUR_MS, now: () => 1 })
    const page = new CountedCampaigns('page')
    dedupe.remember('page', page)
    for (let i = 0; i < 100; i += 1) openPageLoad(dedupe, `invented-${i}`)
    assert.equal(openPageLoad(dedupe, 'page'), page)
    assert.ok(dedupe.hasCreated('page'))
    assert.ok(!dedupe.hasCreated('invented-99'))
  })

  it('finds a page load while its response is open, however many others there are', () => {
    const dedupe = new Dedupe({ max: 1, ttlMs: HOUR_MS, now: () => 1 })
    const page = new CountedCampaigns('page')
    dedupe.keepOpen('page', page)
    for (let i = 0; i < 100; i += 1) openPageLoad(dedupe, `other-${i}`)
    assert.equal(dedupe.find('page'), page)
    dedupe.forgetOpen('page', new CountedCampaigns('page'))
    assert.equal(dedupe.find('page'), page)
    dedupe.forgetOpen('page', page)
    assert.equal(dedupe.find('page'), undefined)
  })

  it('keeps the campaigns of an evicted page load that is still in use', () => {
    const dedupe = new Dedupe({ max: 1, ttlMs: HOUR_MS, now: () => 1 })
    const open = openPageLoad(dedupe, 'a')
    open.add('ens:1')
    openPageLoad(dedupe, 'b')
    assert.ok(open.has('ens:1'))
  })
})

/** Counts the reads of all LRU caches while `task` runs. */
function countLookups(task: () => void): number {
  const { get } = LRUCache.prototype
  let count = 0
  LRUCache.prototype.get = function (...parameters) {
    count += 1
    return Reflect.apply(get, this, parameters)
  }
  try {
    task()
  } finally {
    LRUCache.prototype.get = get
  }
  return count
}

describe('a page load', () => {
  /** Tracks `campaigns` campaigns in one page load, whose socket is not connected. */
  async function countPageLoadLookups(campaigns: number, options: { requestId?: () => string }) {
    const { methods, pageLoad } = assembleTracker({
      ...options,
      networks: [acme({ apiKey: 'k', baseUrl: 'http://127.0.0.1:1' })],
      logger: { debug() {}, warn() {}, error() {} },
      // User agents are cached in an LRU as well.
      traffic: { bots: 'count' },
    })
    const req = new IncomingMessage(new Socket())
    req.method = 'GET'
    const trackImpression = pageLoad(req, new ServerResponse(req), req)
    const count = countLookups(() => {
      for (let i = 1; i <= campaigns; i += 1) {
        trackImpression({ campaignId: 'x'.repeat(i), network: 'acme' })
      }
    })
    assert.equal(methods.stats().acme?.pending, campaigns)
    await methods.close({ timeoutMs: 0 })
    return count
  }

  for (const campaigns of [1, 2, 50]) {
    it(`needs at most one lookup for ${campaigns} campaigns`, async () => {
      assert.ok((await countPageLoadLookups(campaigns, { requestId: () => 'page-1' })) <= 1)
    })
  }

  it('needs no lookup if its id cannot occur again', async () => {
    assert.equal(await countPageLoadLookups(50, {}), 0)
  })
})
