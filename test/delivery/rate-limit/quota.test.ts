import assert from 'node:assert/strict'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { Quota, type QuotaUse } from '../../../lib/delivery/rate-limit/quota.js'
import type { QuotaWindow } from '../../../lib/networks/network.js'
import type { Answer } from '../../../lib/networks/verdict.js'
import { RateWindows } from '../../../lib/sandbox/rate-windows.js'
import { VirtualClock } from '../virtual-clock.js'

// Tests lib/delivery/rate-limit/quota-windows.ts

const MINUTE = { limit: 300, windowMs: 60_000 }
const DAY = { limit: 10_000, windowMs: 86_400_000 }
const HOUR_MS = 3_600_000
const START_MS = Date.UTC(2026, 0, 1)
const MAX_BATCH = 1_000

const createQuota = (...windows: QuotaWindow[]) => new Quota(windows, MAX_BATCH, HOUR_MS)

const answerAt = (atMs: number, headers: Answer['headers'] = {}): Answer => ({
  status: 200,
  headers,
  body: '',
  atMs,
})

const remainingHeaders = (
  remaining: number,
  resetSeconds: number,
  limit?: number,
): Answer['headers'] => ({
  ...(limit !== undefined && { 'ratelimit-limit': `${limit}` }),
  'ratelimit-remaining': `${remaining}`,
  'ratelimit-reset': `${resetSeconds}`,
})

/** Sends a call that ends immediately. */
function call(quota: Quota, nowMs: number, headers?: Answer['headers']): void {
  quota.settle(quota.use(nowMs, 'full', 1), nowMs, answerAt(nowMs, headers))
}

/** Sends as many calls as the quota allows at this time; each ends immediately. */
function sendAllowedCalls(quota: Quota, nowMs: number, most = 1_000): number {
  let calls = 0
  for (; calls < most && quota.waitMs(nowMs) === 0; calls += 1) call(quota, nowMs)
  return calls
}

describe('Quota: what is left', () => {
  it('is empty if no quota is known', () => {
    assert.deepEqual(createQuota().left(START_MS), [])
  })

  it('counts calls that have ended and calls in flight', () => {
    const quota = createQuota(DAY, MINUTE)
    call(quota, START_MS)
    quota.use(START_MS, 'full', 1)
    assert.deepEqual(quota.left(START_MS), [
      { ...MINUTE, remaining: 298 },
      { ...DAY, remaining: 9_998 },
    ])
    assert.equal(quota.left(START_MS + 60_000)[0]?.remaining, 299)
  })

  it('is what an answer reported until the reset, if that is lower', () => {
    const quota = createQuota(MINUTE)
    call(quota, START_MS, remainingHeaders(12, 30, 300))
    call(quota, START_MS)
    assert.deepEqual(quota.left(START_MS), [{ ...MINUTE, remaining: 11 }])
    assert.deepEqual(quota.left(START_MS + 32_000), [{ ...MINUTE, remaining: 298 }])
  })

  it('is never negative', () => {
    const quota = createQuota({ limit: 2, windowMs: 60_000 })
    for (let calls = 0; calls < 3; calls += 1) call(quota, START_MS)
    assert.equal(quota.left(START_MS)[0]?.remaining, 0)
  })
})

describe('Quota: calls', () => {
  it('sends without limit if no quota is known', () => {
    assert.equal(sendAllowedCalls(createQuota(), START_MS), 1_000)
  })

  it('waits until the oldest call expires', () => {
    const quota = createQuota({ limit: 2, windowMs: 10_000 })
    call(quota, START_MS)
    call(quota, START_MS + 4_000)
    assert.equal(quota.waitMs(START_MS + 5_000), 5_000)
    assert.equal(quota.waitMs(START_MS + 10_000), 0)
  })

  it('counts a call from its end, since the network may receive it as late as that', () => {
    const quota = createQuota({ limit: 1, windowMs: 10_000 })
    const use = quota.use(START_MS, 'full', 1)
    quota.settle(use, START_MS + 3_000, undefined)
    assert.equal(quota.waitMs(START_MS + 10_000), 3_000)
  })

  it('counts a call while it is in flight, even for longer than the window', () => {
    const quota = createQuota({ limit: 1, windowMs: 1_000 })
    const use = quota.use(START_MS, 'full', 1)
    assert.equal(quota.waitMs(START_MS + 5_000), Number.POSITIVE_INFINITY)
    quota.settle(use, START_MS + 6_000, undefined)
    assert.equal(quota.waitMs(START_MS + 6_500), 500)
  })
})

describe("Quota: the network's policy", () => {
  const policy = (text: string) => ({ 'ratelimit-policy': text })

  it('replaces the published quota', () => {
    const quota = createQuota(MINUTE)
    call(quota, START_MS, policy('1000;w=60'))
    assert.equal(sendAllowedCalls(quota, START_MS, 2_000), 999)
  })

  it('counts earlier calls when the policy lowers the limit', () => {
    const quota = createQuota({ limit: 5, windowMs: 10_000 })
    for (let second = 0; second < 4; second += 1) call(quota, START_MS + second * 1_000)
    call(quota, START_MS + 4_000, policy('2;w=10'))
    assert.equal(quota.waitMs(START_MS + 5_000), 8_000)
  })

  it('counts earlier calls when the policy names a window of another length', () => {
    const quota = createQuota(MINUTE)
    for (let made = 0; made < 9; made += 1) call(quota, START_MS)
    call(quota, START_MS, policy('20;w=30'))
    assert.equal(sendAllowedCalls(quota, START_MS), 10)
  })

  it('counts earlier calls when the policy omits a window and names it again', () => {
    const quota = createQuota({ limit: 10, windowMs: 60_000 })
    for (let made = 0; made < 4; made += 1) call(quota, START_MS)
    call(quota, START_MS, policy('50;w=1'))
    for (let made = 0; made < 2; made += 1) call(quota, START_MS + 2_000)
    call(quota, START_MS + 4_000, policy('50;w=1, 10;w=60'))
    assert.equal(sendAllowedCalls(quota, START_MS + 6_000), 2)
  })

  it('drops a window that only the policy named once it no longer does', () => {
    const quota = createQuota({ limit: 60, windowMs: 60_000 })
    call(quota, START_MS, policy('1;w=1, 60;w=60'))
    call(quota, START_MS + 1_000, policy('60;w=60'))
    assert.equal(sendAllowedCalls(quota, START_MS + 1_000), 58)
  })

  it('keeps a published window that the policy does not name, since a gateway may have sent it', () => {
    const quota = createQuota({ limit: 1, windowMs: 60_000 })
    call(quota, START_MS, policy('1000;w=1'))
    assert.equal(sendAllowedCalls(quota, START_MS + 1_000), 0)
  })

  it('raises published limits only if the policy names all published windows', () => {
    const published = [
      { limit: 3, windowMs: 60_000 },
      { limit: 5, windowMs: 86_400_000 },
    ]
    const foreign = createQuota(...published)
    call(foreign, START_MS, policy('100;w=60'))
    assert.equal(sendAllowedCalls(foreign, START_MS), 2)
    const own = createQuota(...published)
    call(own, START_MS, policy('100;w=60, 1000;w=86400'))
    assert.equal(sendAllowedCalls(own, START_MS), 99)
  })

  it('lowers a published limit immediately', () => {
    const quota = createQuota({ limit: 30, windowMs: 60_000 }, { limit: 50, windowMs: 86_400_000 })
    call(quota, START_MS, policy('2;w=60'))
    assert.equal(sendAllowedCalls(quota, START_MS), 1)
  })

  it('ignores windows longer than the published ones unless the policy names those', () => {
    const quota = createQuota({ limit: 10, windowMs: 60_000 })
    call(quota, START_MS, policy('1;w=31622400'))
    assert.equal(sendAllowedCalls(quota, START_MS), 9)
  })

  it('keeps a published window when a part of the policy is malformed', () => {
    const quota = createQuota({ limit: 1, windowMs: 60_000 })
    call(quota, START_MS, policy('50;w=1, 1;w=a minute'))
    assert.equal(sendAllowedCalls(quota, START_MS), 0)
  })
})

describe('Quota: calls of other clients with the same key', () => {
  it('uses the reported remaining calls when they are fewer than its own count', () => {
    const quota = createQuota({ limit: 100, windowMs: 60_000 })
    call(quota, START_MS, remainingHeaders(20, 30, 100))
    // A few calls are reserved for other clients, which may have called in the meantime.
    assert.equal(sendAllowedCalls(quota, START_MS), 15)
    assert.equal(quota.waitMs(START_MS), 31_000)
  })

  it('limits the reported reset to the length of the longest window', () => {
    const quota = createQuota({ limit: 100, windowMs: 60_000 })
    call(quota, START_MS, remainingHeaders(0, 30_000_000, 100))
    assert.equal(quota.waitMs(START_MS), 61_000)
  })

  it('ignores the reported remaining calls when they are more than its own count', () => {
    const quota = createQuota({ limit: 10, windowMs: 60_000 })
    for (let made = 0; made < 9; made += 1) call(quota, START_MS)
    call(quota, START_MS, remainingHeaders(10, 30, 10))
    assert.equal(sendAllowedCalls(quota, START_MS), 0)
  })

  it('sends one call after the reset, and the others when that call has ended', () => {
    const quota = createQuota({ limit: 100, windowMs: 60_000 })
    call(quota, START_MS, remainingHeaders(0, 30, 100))
    const resetMs = START_MS + 31_000
    assert.equal(quota.waitMs(resetMs), 0)
    const use = quota.use(resetMs, 'full', 1)
    assert.equal(quota.waitMs(resetMs), Number.POSITIVE_INFINITY)
    quota.settle(use, resetMs + 100, answerAt(resetMs + 100, remainingHeaders(99, 59, 100)))
    assert.equal(quota.waitMs(resetMs + 100), 0)
  })

  it('subtracts its own calls that the answer may not have counted yet', () => {
    const quota = createQuota({ limit: 100, windowMs: 60_000 })
    const uses = Array.from({ length: 8 }, () => quota.use(START_MS, 'full', 1))
    const [first, ...others] = uses
    for (const use of others) quota.settle(use, START_MS + 50, answerAt(START_MS + 50))
    if (first)
      quota.settle(first, START_MS + 90, answerAt(START_MS + 90, remainingHeaders(12, 30, 100)))
    // Seven calls ended before this answer arrived: only 5 of the 12 are certain, and reserved.
    const next = quota.use(START_MS + 100, 'full', 1)
    assert.equal(quota.waitMs(START_MS + 100), Number.POSITIVE_INFINITY)
    quota.settle(next, START_MS + 200, answerAt(START_MS + 200, remainingHeaders(11, 30, 100)))
    assert.equal(sendAllowedCalls(quota, START_MS + 200), 6)
  })

  it('still slows the pace when the headers switch to another window', () => {
    const alone = createQuota(MINUTE, DAY)
    const shared = createQuota(MINUTE, DAY)
    for (let made = 0; made < 1_000; made += 1) {
      const nowMs = START_MS + made * 10_000
      const headers =
        made < 999
          ? remainingHeaders(5_000 - made, 50_000, DAY.limit)
          : remainingHeaders(299, 60, MINUTE.limit)
      call(alone, nowMs)
      call(shared, nowMs, headers)
    }
    const nowMs = START_MS + 10_000_000
    const wait = (quota: Quota) => quota.pacedWaitMs(nowMs, 'partial', 0)
    assert.ok(wait(shared) > 1.5 * wait(alone), `${wait(shared)} after ${wait(alone)}`)
  })
})

describe('Quota: the pace of one of several processes', () => {
  /** What answers say in a network whose minute has the fewest calls left. */
  const ofMinute = (others: number) => remainingHeaders(MINUTE.limit - 1 - others, 60, MINUTE.limit)

  /** Sends a partial batch, which is answered at once, and returns how long the next one waits. */
  function waitAfterCall(quota: Quota, nowMs: number, headers: Answer['headers']): number {
    quota.settle(quota.use(nowMs, 'partial', 3), nowMs, answerAt(nowMs, headers))
    return quota.pacedWaitMs(nowMs, 'partial', 0)
  }

  it('has no delay after a first answer that shows no other calls', () => {
    assert.equal(waitAfterCall(createQuota(MINUTE, DAY), START_MS, ofMinute(0)), 0)
  })

  it('is slow after a first answer that shows other calls: the day may be nearly spent', () => {
    const waitMs = waitAfterCall(createQuota(MINUTE, DAY), START_MS, ofMinute(5))
    assert.ok(waitMs > 120_000, `${waitMs} ms`)
  })

  it('spends few calls soon after the start, as it may not be the first of the day', () => {
    const quota = createQuota(MINUTE, DAY)
    let calls = 1
    for (; waitAfterCall(quota, START_MS + calls * 5_000, ofMinute(0)) === 0; calls += 1);
    assert.ok(calls > 10 && calls < 30, `${calls} calls`)
  })

  it('is divided by the number of known processes', () => {
    const [alone = 0, ofEight = 0] = [1, 8].map((processes) => {
      const quota = new Quota([DAY], MAX_BATCH, HOUR_MS, processes)
      for (let made = 0; made < 1_000; made += 1) call(quota, START_MS + made * 9_000)
      return quota.pacedWaitMs(START_MS + 999 * 9_000, 'partial', 0)
    })
    assert.equal(Math.round(ofEight / alone), 8)
  })

  it('never delays a batch until it expires, whatever the answers say', () => {
    for (const others of [0, 1, 50, 298]) {
      const waitMs = waitAfterCall(createQuota(MINUTE, DAY), START_MS, ofMinute(others))
      assert.ok(waitMs <= 0.75 * HOUR_MS, `${waitMs} ms after ${others} other calls`)
    }
  })
})

describe('Quota: the pace', () => {
  it('sends partial batches immediately with quota to spare', () => {
    const quota = createQuota(DAY)
    for (let made = 0; made < 400; made += 1) call(quota, START_MS + made * 1_000)
    assert.equal(quota.pacedWaitMs(START_MS + 400_000, 'partial', 0), 0)
  })

  it('spends less than half of the daily quota on partial batches', () => {
    const quota = createQuota(MINUTE, DAY)
    let calls = 0
    for (let nowMs = START_MS; nowMs < START_MS + DAY.windowMs; ) {
      const waitMs = quota.waitMs(nowMs) || quota.pacedWaitMs(nowMs, 'partial', 0)
      nowMs += Math.max(waitMs, 100)
      quota.settle(quota.use(nowMs, 'partial', 3), nowMs, undefined)
      calls += 1
    }
    assert.ok(calls > 4_000 && calls < 5_000, `${calls} calls`)
  })

  it('does not delay full batches before the quota was exhausted', () => {
    const quota = createQuota(DAY)
    for (let made = 0; made < 9_000; made += 1) call(quota, START_MS)
    assert.equal(quota.pacedWaitMs(START_MS, 'full', 0), 0)
  })

  it('paces full batches after the quota was exhausted', () => {
    const quota = createQuota({ limit: 100, windowMs: 100_000 })
    const quarters = [0, 0, 0, 0, 0, 0, 0, 0]
    for (let nowMs = START_MS; nowMs < START_MS + 200_000; nowMs += 100) {
      if (quota.waitMs(nowMs) > 0 || quota.pacedWaitMs(nowMs, 'full', 0) > 0) continue
      quota.settle(quota.use(nowMs, 'full', MAX_BATCH), nowMs, undefined)
      const quarter = Math.floor((nowMs - START_MS) / 25_000)
      quarters[quarter] = (quarters[quarter] ?? 0) + 1
    }
    assert.deepEqual(quarters.slice(0, 4), [100, 0, 0, 0])
    for (const calls of quarters.slice(4)) assert.ok(calls > 10 && calls < 50, `${quarters}`)
  })

  it('sends retries immediately', () => {
    const quota = createQuota(DAY)
    for (let made = 0; made < 9_000; made += 1) call(quota, START_MS)
    assert.equal(quota.pacedWaitMs(START_MS, 'retry', 0), 0)
  })

  it('sends sooner when the impressions are close to expiry', () => {
    const quota = createQuota(DAY)
    for (let made = 0; made < 1_000; made += 1) call(quota, START_MS)
    quota.settle(quota.use(START_MS, 'partial', 3), START_MS, undefined)
    const young = quota.pacedWaitMs(START_MS, 'partial', 0)
    const old = quota.pacedWaitMs(START_MS, 'partial', 0.8 * HOUR_MS)
    assert.ok(old > 0 && old < young / 2, `${old} after ${young}`)
  })

  it('paces partial batches more slowly on a site with many full batches', () => {
    const [quiet, busy] = [3, MAX_BATCH].map((impressions) => {
      const quota = createQuota(DAY)
      for (let made = 0; made < 1_000; made += 1) {
        const nowMs = START_MS + made * 9_000
        quota.settle(quota.use(nowMs, 'partial', impressions), nowMs, undefined)
      }
      return quota.pacedWaitMs(START_MS + 9_000_000, 'partial', 0)
    })
    assert.ok(quiet !== undefined && busy !== undefined && busy > 5 * quiet, `${busy}, ${quiet}`)
  })
})

describe('Quota: properties', () => {
  const window = fc.record({
    limit: fc.integer({ min: 1, max: 6 }),
    windowMs: fc.constantFrom(1_000, 2_000, 7_000, 20_000, 86_400_000),
  })
  const windows = fc.uniqueArray(window, {
    minLength: 1,
    maxLength: 3,
    selector: (w) => w.windowMs,
  })
  /** The gap before a call, and how long the request and the response take. */
  const attempt = fc.record({
    gapMs: fc.oneof(fc.integer({ max: 50, min: 0 }), fc.integer({ min: 0, max: 9_000 })),
    requestMs: fc.oneof(fc.integer({ max: 50, min: 0 }), fc.integer({ min: 0, max: 9_000 })),
    responseMs: fc.oneof(fc.integer({ max: 50, min: 0 }), fc.integer({ min: 0, max: 9_000 })),
  })
  const attempts = fc.array(attempt, { minLength: 1, maxLength: 60 })

  /** Whether the pace alone delays a partial batch of `START_MS` until it expires. */
  function isDelayedUntilExpiry(quota: Quota): boolean {
    for (let nowMs = START_MS; nowMs < START_MS + HOUR_MS; ) {
      if (quota.waitMs(nowMs) > 0) return false
      const waitMs = quota.pacedWaitMs(nowMs, 'partial', nowMs - START_MS)
      if (waitMs === 0) return false
      nowMs += waitMs
    }
    return true
  }

  /** Sends the calls that the quota allows, and returns when the network received each. */
  function sendCalls(
    quota: Quota,
    wanted: readonly { gapMs: number; requestMs: number; responseMs: number }[],
    receive: (nowMs: number) => Answer['headers'] | undefined,
  ): number[] {
    const clock = new VirtualClock(START_MS)
    const receivedMs: number[] = []
    const send = (requestMs: number, responseMs: number, use: QuotaUse) => {
      clock.after(requestMs, () => {
        receivedMs.push(clock.now())
        const headers = receive(clock.now())
        clock.after(responseMs, () => {
          const answer = headers && answerAt(clock.now(), headers)
          quota.settle(use, clock.now(), answer)
        })
      })
    }
    for (const { gapMs, requestMs, responseMs } of wanted) {
      clock.advance(gapMs)
      let waitMs = quota.waitMs(clock.now())
      for (let tries = 0; waitMs > 0 && tries < 20; tries += 1) {
        clock.advance(Number.isFinite(waitMs) ? waitMs : 500)
        waitMs = quota.waitMs(clock.now())
      }
      if (waitMs === 0) send(requestMs, responseMs, quota.use(clock.now(), 'full', 1))
    }
    clock.advance(20_000)
    return receivedMs
  }

  it('the network never receives more calls than the limit within any window', () => {
    fc.assert(
      fc.property(windows, attempts, (quotas, wanted) => {
        const receivedMs = sendCalls(createQuota(...quotas), wanted, () => undefined)
        for (const { limit, windowMs } of quotas) {
          for (const [index, ms] of receivedMs.entries()) {
            const before = receivedMs[index - limit]
            assert.ok(before === undefined || ms - before >= windowMs)
          }
        }
      }),
      { numRuns: 500 },
    )
  })

  for (const kind of ['fixed', 'sliding', 'midnight'] as const) {
    it(`a network with ${kind} windows refuses no call, whichever headers it sends`, () => {
      fc.assert(
        fc.property(windows, attempts, fc.boolean(), (quotas, wanted, hasHeaders) => {
          let nowMs = START_MS
          let refused = 0
          const network = new RateWindows(quotas, kind, () => nowMs)
          sendCalls(createQuota(...quotas), wanted, (receivedMs) => {
            nowMs = receivedMs
            refused += 1 - network.spend(1)
            const [state] = network.states().sort((a, b) => a.remaining - b.remaining)
            if (!hasHeaders || !state) return undefined
            return remainingHeaders(
              state.remaining,
              Math.ceil((state.resetsAt - nowMs) / 1_000),
              state.limit,
            )
          })
          assert.equal(refused, 0)
        }),
        { numRuns: 200 },
      )
    })
  }

  it('the calls of other clients before an answer reduce the quota', () => {
    const spentByOthers = fc.integer({ min: 0, max: 40 })
    fc.assert(
      fc.property(spentByOthers, fc.integer({ min: 1, max: 60 }), (others, resetSeconds) => {
        const window = { limit: 50, windowMs: 60_000 }
        const quota = createQuota(window)
        const remaining = window.limit - 1 - others
        call(quota, START_MS, remainingHeaders(remaining, resetSeconds, window.limit))
        const untilMs = START_MS + resetSeconds * 1_000 - 1
        let calls = 0
        for (let nowMs = START_MS; nowMs < untilMs; nowMs += 500)
          calls += sendAllowedCalls(quota, nowMs)
        assert.ok(calls <= remaining, `${calls} calls of ${remaining}`)
      }),
    )
  })

  it('the pace never delays a call until its impressions expire', () => {
    const quota = fc.record({
      limit: fc.integer({ min: 1, max: 100 }),
      windowMs: fc.constantFrom(1_000, 60_000, 86_400_000, 30 * 86_400_000),
    })
    const reported = fc.option(fc.tuple(fc.nat(120), fc.nat(1_000_000)))
    fc.assert(
      fc.property(quota, fc.nat(99), reported, (window, spent, remaining) => {
        const quota = createQuota(window)
        for (let made = 0; made < spent % window.limit; made += 1) {
          quota.settle(quota.use(START_MS, 'partial', 1), START_MS, undefined)
        }
        const headers = remaining ? remainingHeaders(...remaining) : {}
        quota.settle(quota.use(START_MS, 'partial', 1), START_MS, answerAt(START_MS, headers))
        assert.ok(!isDelayedUntilExpiry(quota), 'it waited until its impressions expired')
      }),
      { numRuns: 300 },
    )
  })

  it('the waits are never negative or too long, whichever headers arrive', () => {
    const value = fc.oneof(fc.nat().map(String), fc.string())
    const names = ['ratelimit-policy', 'ratelimit', 'ratelimit-remaining', 'ratelimit-reset']
    const policy = fc.tuple(fc.nat(), fc.nat()).map(([limit, seconds]) => `${limit};w=${seconds}`)
    const headers = fc.dictionary(fc.constantFrom(...names), fc.oneof(value, policy))
    fc.assert(
      fc.property(fc.array(headers, { maxLength: 20 }), (answers) => {
        const quota = createQuota(MINUTE, DAY)
        for (const [second, headers] of answers.entries()) {
          const nowMs = START_MS + second * 1_000
          call(quota, nowMs, headers)
          assert.ok(quota.waitMs(nowMs) >= 0)
          for (const kind of ['partial', 'full', 'retry'] as const) {
            const waitMs = quota.pacedWaitMs(nowMs, kind, 0)
            assert.ok(waitMs >= 0 && waitMs <= HOUR_MS)
          }
        }
      }),
    )
  })

  it('half a million calls in a window use little memory', () => {
    setFlagsFromString('--expose-gc')
    const collect: () => void = runInNewContext('gc')
    const quota = createQuota({ limit: 1e9, windowMs: 86_400_000 })
    collect()
    const before = process.memoryUsage().heapUsed
    for (let made = 0; made < 500_000; made += 1) call(quota, START_MS + made * 160)
    collect()
    const grownBy = process.memoryUsage().heapUsed - before
    assert.ok(grownBy < 4_000_000, `${grownBy} bytes`)
    assert.equal(quota.waitMs(START_MS), 0)
  })
})
