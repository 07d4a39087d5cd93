import assert from 'node:assert/strict'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { LRUCache } from 'lru-cache'
import { CountedCampaigns, createDedupe, OnceKeys } from '../../lib/counting/dedupe.js'
import { assembleTracker } from '../../lib/tracker.js'
import { acme } from '../networks/acme.js'

const HOUR_MS = 3_600_000

describe('what page loads have counted', () => {
  it('is one set for one request id, shared by reference', () => {
    const dedupe = createDedupe({ max: 10, ttlMs: HOUR_MS }, () => 1)
    const counted = dedupe.open('a')
    counted.add('ens:1')
    assert.equal(dedupe.open('a'), counted)
    assert.ok(dedupe.open('a').has('ens:1'))
  })

  it('is another set for another request id', () => {
    const dedupe = createDedupe({ max: 10, ttlMs: HOUR_MS }, () => 1)
    dedupe.open('a').add('ens:1')
    assert.ok(!dedupe.open('b').has('ens:1'))
    assert.ok(!dedupe.open('A').has('ens:1'))
    assert.ok(!dedupe.open('__proto__').has('ens:1'))
  })

  it('is remembered for its time after the first impression, by the clock it is given', () => {
    let nowMs = 1_000_000
    const dedupe = createDedupe({ max: 10, ttlMs: 1_000 }, () => nowMs)
    const counted = dedupe.open('a')
    nowMs += 1_000
    assert.equal(dedupe.open('a'), counted)
    nowMs += 1
    assert.notEqual(dedupe.open('a'), counted)
  })

  it('is not remembered longer for being looked at', () => {
    let nowMs = 1_000_000
    const dedupe = createDedupe({ max: 10, ttlMs: 1_000 }, () => nowMs)
    const counted = dedupe.open('a')
    for (let i = 0; i < 4; i += 1) {
      nowMs += 250
      assert.equal(dedupe.open('a'), counted)
    }
    nowMs += 1
    assert.notEqual(dedupe.open('a'), counted)
  })

  it('is remembered of so many page loads: the one that was used last goes last', () => {
    const dedupe = createDedupe({ max: 2, ttlMs: HOUR_MS }, () => 1)
    const [a, b] = [dedupe.open('a'), dedupe.open('b')]
    assert.equal(dedupe.open('a'), a)
    dedupe.open('c')
    assert.equal(dedupe.open('a'), a)
    assert.notEqual(dedupe.open('b'), b)
  })

  for (const campaigns of [1, 3, 8, 9, 100]) {
    it(`tells each of ${campaigns} from one that it has not counted, or no longer`, () => {
      const counted = new CountedCampaigns()
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

  it('keeps networks apart, and one key for one campaign however many there are', () => {
    const [ens, acme] = [new OnceKeys('ens'), new OnceKeys('acme')]
    assert.notEqual(ens.get(42), acme.get(42))
    const first = ens.get(42)
    for (let campaign = 0; campaign < 30_000; campaign += 1) ens.get(campaign)
    assert.equal(ens.get(42), first)
  })

  it('stays with whoever holds it, also once it is evicted', () => {
    const dedupe = createDedupe({ max: 1, ttlMs: HOUR_MS }, () => 1)
    const open = dedupe.open('a')
    open.add('ens:1')
    dedupe.open('b')
    assert.ok(open.has('ens:1'))
  })
})

/** How often any LRU is read while `task` runs. */
function lookUps(task: () => void): number {
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
  /** Tracks so many campaigns in one page load, on a socket that leads nowhere. */
  async function lookUpsOf(campaigns: number, options: { requestId?: () => string }) {
    const { methods, pageLoad } = assembleTracker({
      ...options,
      networks: [acme({ apiKey: 'k', baseUrl: 'http://127.0.0.1:1' })],
      logger: { debug() {}, warn() {}, error() {} },
      // The user agents are remembered in an LRU too.
      traffic: { bots: 'count' },
    })
    const req = new IncomingMessage(new Socket())
    req.method = 'GET'
    const trackImpression = pageLoad(req, new ServerResponse(req), req)
    const count = lookUps(() => {
      for (let i = 1; i <= campaigns; i += 1) {
        trackImpression({ campaignId: 'x'.repeat(i), network: 'acme' })
      }
    })
    assert.equal(methods.stats().acme?.pending, campaigns)
    await methods.close({ timeoutMs: 0 })
    return count
  }

  for (const campaigns of [1, 2, 50]) {
    it(`costs one look-up, with ${campaigns} campaigns as with any number`, async () => {
      assert.equal(await lookUpsOf(campaigns, { requestId: () => 'page-1' }), 1)
    })
  }

  it('costs none at all where its id cannot come again', async () => {
    assert.equal(await lookUpsOf(50, {}), 0)
  })
})
