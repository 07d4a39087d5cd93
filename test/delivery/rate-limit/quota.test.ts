import assert from 'node:assert/strict'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { Quota, type QuotaUse } from '../../../lib/delivery/rate-limit/quota.js'
import type { QuotaWindow } from '../../../lib/networks/network.js'
import type { Answer } from '../../../lib/networks/verdict.js'
import { RateWindows } from '../../../lib/sandbox/rate-windows.js'
import { VirtualClock } from '../virtual-clock.js'

const MINUTE = { limit: 300, windowMs: 60_000 }
const DAY = { limit: 10_000, windowMs: 86_400_000 }
const HOUR_MS = 3_600_000
const START_MS = Date.UTC(2026, 0, 1)
const MAX_BATCH = 1_000

const budgetOf = (...windows: QuotaWindow[]) => new Quota(windows, MAX_BATCH, HOUR_MS)

const answerAt = (atMs: number, headers: Answer['headers'] = {}): Answer => ({
  status: 200,
  headers,
  body: '',
  atMs,
})

const left = (remaining: number, resetSeconds: number, limit?: number): Answer['headers'] => ({
  ...(limit !== undefined && { 'ratelimit-limit': `${limit}` }),
  'ratelimit-remaining': `${remaining}`,
  'ratelimit-reset': `${resetSeconds}`,
})

/** A call that leaves and ends at once. */
function call(quota: Quota, nowMs: number, headers?: Answer['headers']): void {
  quota.settle(quota.use(nowMs, 'full', 1), nowMs, answerAt(nowMs, headers))
}

/** As many calls as may leave at this moment, each ending at once. */
function callsAt(quota: Quota, nowMs: number, most = 1_000): number {
  let calls = 0
  for (; calls < most && quota.waitMs(nowMs) === 0; calls += 1) call(quota, nowMs)
  return calls
}

describe('quota: any call', () => {
  it('leaves freely where no quota is known', () => {
    assert.equal(callsAt(budgetOf(), START_MS), 1_000)
  })

  it('waits until the oldest has come back', () => {
    const quota = budgetOf({ limit: 2, windowMs: 10_000 })
    call(quota, START_MS)
    call(quota, START_MS + 4_000)
    assert.equal(quota.waitMs(START_MS + 5_000), 5_000)
    assert.equal(quota.waitMs(START_MS + 10_000), 0)
  })

  it('counts from its end, for the network may have seen it as late as then', () => {
    const quota = budgetOf({ limit: 1, windowMs: 10_000 })
    const use = quota.use(START_MS, 'full', 1)
    quota.settle(use, START_MS + 3_000, undefined)
    assert.equal(quota.waitMs(START_MS + 10_000), 3_000)
  })

  it('counts for as long as it is under way, even past the window', () => {
    const quota = budgetOf({ limit: 1, windowMs: 1_000 })
    const use = quota.use(START_MS, 'full', 1)
    assert.equal(quota.waitMs(START_MS + 5_000), Number.POSITIVE_INFINITY)
    quota.settle(use, START_MS + 6_000, undefined)
    assert.equal(quota.waitMs(START_MS + 6_500), 500)
  })
})

describe("quota: the network's policy", () => {
  const policy = (text: string) => ({ 'ratelimit-policy': text })

  it('takes the place of the published one', () => {
    const quota = budgetOf(MINUTE)
    call(quota, START_MS, policy('1000;w=60'))
    assert.equal(callsAt(quota, START_MS, 2_000), 999)
  })

  it('may be lowered: the calls made before count', () => {
    const quota = budgetOf({ limit: 5, windowMs: 10_000 })
    for (let second = 0; second < 4; second += 1) call(quota, START_MS + second * 1_000)
    call(quota, START_MS + 4_000, policy('2;w=10'))
    assert.equal(quota.waitMs(START_MS + 5_000), 8_000)
  })

  it('may name a window of another length: the calls made before count', () => {
    const quota = budgetOf(MINUTE)
    for (let made = 0; made < 9; made += 1) call(quota, START_MS)
    call(quota, START_MS, policy('20;w=30'))
    assert.equal(callsAt(quota, START_MS), 10)
  })

  it('may leave out a window and name it again: the calls made before count', () => {
    const quota = budgetOf({ limit: 10, windowMs: 60_000 })
    for (let made = 0; made < 4; made += 1) call(quota, START_MS)
    call(quota, START_MS, policy('50;w=1'))
    for (let made = 0; made < 2; made += 1) call(quota, START_MS + 2_000)
    call(quota, START_MS + 4_000, policy('50;w=1, 10;w=60'))
    assert.equal(callsAt(quota, START_MS + 6_000), 2)
  })

  it('drops a window of its own that it no longer names', () => {
    const quota = budgetOf({ limit: 60, windowMs: 60_000 })
    call(quota, START_MS, policy('1;w=1, 60;w=60'))
    call(quota, START_MS + 1_000, policy('60;w=60'))
    assert.equal(callsAt(quota, START_MS + 1_000), 58)
  })

  it('lifts no published window that it does not name: it may be a gateway’s', () => {
    const quota = budgetOf({ limit: 1, windowMs: 60_000 })
    call(quota, START_MS, policy('1000;w=1'))
    assert.equal(callsAt(quota, START_MS + 1_000), 0)
  })

  it('widens no published window unless it names all of them', () => {
    const published = [
      { limit: 3, windowMs: 60_000 },
      { limit: 5, windowMs: 86_400_000 },
    ]
    const foreign = budgetOf(...published)
    call(foreign, START_MS, policy('100;w=60'))
    assert.equal(callsAt(foreign, START_MS), 2)
    const own = budgetOf(...published)
    call(own, START_MS, policy('100;w=60, 1000;w=86400'))
    assert.equal(callsAt(own, START_MS), 99)
  })

  it('narrows a published window at once', () => {
    const quota = budgetOf({ limit: 30, windowMs: 60_000 }, { limit: 50, windowMs: 86_400_000 })
    call(quota, START_MS, policy('2;w=60'))
    assert.equal(callsAt(quota, START_MS), 1)
  })

  it('cannot block for longer than the published windows unless it names them', () => {
    const quota = budgetOf({ limit: 10, windowMs: 60_000 })
    call(quota, START_MS, policy('1;w=31622400'))
    assert.equal(callsAt(quota, START_MS), 9)
  })

  it('drops no window because a part of it makes no sense', () => {
    const quota = budgetOf({ limit: 1, windowMs: 60_000 })
    call(quota, START_MS, policy('50;w=1, 1;w=a minute'))
    assert.equal(callsAt(quota, START_MS), 0)
  })
})

describe("quota: others' calls with the same key", () => {
  it('are believed where less is left than by our own count', () => {
    const quota = budgetOf({ limit: 100, windowMs: 60_000 })
    call(quota, START_MS, left(20, 30, 100))
    // The last few are left to the others, who may have called meanwhile.
    assert.equal(callsAt(quota, START_MS), 15)
    assert.equal(quota.waitMs(START_MS), 31_000)
  })

  it('are not believed to hold for longer than the longest window', () => {
    const quota = budgetOf({ limit: 100, windowMs: 60_000 })
    call(quota, START_MS, left(0, 30_000_000, 100))
    assert.equal(quota.waitMs(START_MS), 61_000)
  })

  it('change nothing where more is left than by our own count', () => {
    const quota = budgetOf({ limit: 10, windowMs: 60_000 })
    for (let made = 0; made < 9; made += 1) call(quota, START_MS)
    call(quota, START_MS, left(10, 30, 10))
    assert.equal(callsAt(quota, START_MS), 0)
  })

  it('let one call go ahead after the reset, and its answer tells the rest', () => {
    const quota = budgetOf({ limit: 100, windowMs: 60_000 })
    call(quota, START_MS, left(0, 30, 100))
    const resetMs = START_MS + 31_000
    assert.equal(quota.waitMs(resetMs), 0)
    const use = quota.use(resetMs, 'full', 1)
    assert.equal(quota.waitMs(resetMs), Number.POSITIVE_INFINITY)
    quota.settle(use, resetMs + 100, answerAt(resetMs + 100, left(99, 59, 100)))
    assert.equal(quota.waitMs(resetMs + 100), 0)
  })

  it('count with those of ours that the answer may not have counted yet', () => {
    const quota = budgetOf({ limit: 100, windowMs: 60_000 })
    const uses = Array.from({ length: 8 }, () => quota.use(START_MS, 'full', 1))
    const [first, ...others] = uses
    for (const use of others) quota.settle(use, START_MS + 50, answerAt(START_MS + 50))
    if (first) quota.settle(first, START_MS + 90, answerAt(START_MS + 90, left(12, 30, 100)))
    // Seven ended while the answer was under way: 5 of the 12 are sure, and those are left.
    const next = quota.use(START_MS + 100, 'full', 1)
    assert.equal(quota.waitMs(START_MS + 100), Number.POSITIVE_INFINITY)
    quota.settle(next, START_MS + 200, answerAt(START_MS + 200, left(11, 30, 100)))
    assert.equal(callsAt(quota, START_MS + 200), 6)
  })

  it('slow down the pace even once the headers tell of another window', () => {
    const alone = budgetOf(MINUTE, DAY)
    const shared = budgetOf(MINUTE, DAY)
    for (let made = 0; made < 1_000; made += 1) {
      const nowMs = START_MS + made * 10_000
      const told = made < 999 ? left(5_000 - made, 50_000, DAY.limit) : left(299, 60, MINUTE.limit)
      call(alone, nowMs)
      call(shared, nowMs, told)
    }
    const nowMs = START_MS + 10_000_000
    const wait = (quota: Quota) => quota.pacedWaitMs(nowMs, 'partial', 0)
    assert.ok(wait(shared) > 1.5 * wait(alone), `${wait(shared)} after ${wait(alone)}`)
  })
})

describe('quota: the pace', () => {
  it("lets a page's batch leave at once with quota to spare", () => {
    const quota = budgetOf(DAY)
    for (let made = 0; made < 400; made += 1) call(quota, START_MS + made * 1_000)
    assert.equal(quota.pacedWaitMs(START_MS + 400_000, 'partial', 0), 0)
  })

  it('lasts the day: less than half of it is spent on batches that are not full', () => {
    const quota = budgetOf(MINUTE, DAY)
    let calls = 0
    for (let nowMs = START_MS; nowMs < START_MS + DAY.windowMs; ) {
      const waitMs = quota.waitMs(nowMs) || quota.pacedWaitMs(nowMs, 'partial', 0)
      nowMs += Math.max(waitMs, 100)
      quota.settle(quota.use(nowMs, 'partial', 3), nowMs, undefined)
      calls += 1
    }
    assert.ok(calls > 4_000 && calls < 5_000, `${calls} calls`)
  })

  it('is kept by no full batch while the quota has not run dry', () => {
    const quota = budgetOf(DAY)
    for (let made = 0; made < 9_000; made += 1) call(quota, START_MS)
    assert.equal(quota.pacedWaitMs(START_MS, 'full', 0), 0)
  })

  it('is kept by full batches once the quota has run dry, so that it then lasts', () => {
    const quota = budgetOf({ limit: 100, windowMs: 100_000 })
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

  it('lets halves of a batch leave at once', () => {
    const quota = budgetOf(DAY)
    for (let made = 0; made < 9_000; made += 1) call(quota, START_MS)
    assert.equal(quota.pacedWaitMs(START_MS, 'retry', 0), 0)
  })

  it('is quicker for impressions that have waited for most of their age', () => {
    const quota = budgetOf(DAY)
    for (let made = 0; made < 1_000; made += 1) call(quota, START_MS)
    quota.settle(quota.use(START_MS, 'partial', 3), START_MS, undefined)
    const young = quota.pacedWaitMs(START_MS, 'partial', 0)
    const old = quota.pacedWaitMs(START_MS, 'partial', 0.8 * HOUR_MS)
    assert.ok(old > 0 && old < young / 2, `${old} after ${young}`)
  })

  it('leaves room for the full batches of a busy site', () => {
    const [quiet, busy] = [3, MAX_BATCH].map((impressions) => {
      const quota = budgetOf(DAY)
      for (let made = 0; made < 1_000; made += 1) {
        const nowMs = START_MS + made * 9_000
        quota.settle(quota.use(nowMs, 'partial', impressions), nowMs, undefined)
      }
      return quota.pacedWaitMs(START_MS + 9_000_000, 'partial', 0)
    })
    assert.ok(quiet !== undefined && busy !== undefined && busy > 5 * quiet, `${busy}, ${quiet}`)
  })
})

/** Whether a call may be sent, or the quota is exhausted, before an hour is over. */
function canSendWithinHour(quota: Quota): boolean {
  for (let nowMs = START_MS; nowMs < START_MS + HOUR_MS; ) {
    if (quota.waitMs(nowMs) > 0) return true
    const waitMs = quota.pacedWaitMs(nowMs, 'partial', nowMs - START_MS)
    if (waitMs === 0) return true
    nowMs += waitMs
  }
  return false
}

describe('quota: whatever happens', () => {
  const window = fc.record({
    limit: fc.integer({ min: 1, max: 6 }),
    windowMs: fc.constantFrom(1_000, 2_000, 7_000, 20_000, 86_400_000),
  })
  const windows = fc.uniqueArray(window, {
    minLength: 1,
    maxLength: 3,
    selector: (w) => w.windowMs,
  })
  /** When calls want to leave, and how long they take to the network and back. */
  const attempt = fc.record({
    gapMs: fc.oneof(fc.integer({ max: 50, min: 0 }), fc.integer({ min: 0, max: 9_000 })),
    thereMs: fc.oneof(fc.integer({ max: 50, min: 0 }), fc.integer({ min: 0, max: 9_000 })),
    backMs: fc.oneof(fc.integer({ max: 50, min: 0 }), fc.integer({ min: 0, max: 9_000 })),
  })
  const attempts = fc.array(attempt, { minLength: 1, maxLength: 60 })

  /** Makes the calls that the quota lets leave, and returns when the network received them. */
  function receiptsOf(
    quota: Quota,
    wanted: readonly { gapMs: number; thereMs: number; backMs: number }[],
    receive: (nowMs: number) => Answer['headers'] | undefined,
  ): number[] {
    const clock = new VirtualClock(START_MS)
    const receivedMs: number[] = []
    const leave = (thereMs: number, backMs: number, use: QuotaUse) => {
      clock.after(thereMs, () => {
        receivedMs.push(clock.now())
        const headers = receive(clock.now())
        clock.after(backMs, () => {
          const answer = headers && answerAt(clock.now(), headers)
          quota.settle(use, clock.now(), answer)
        })
      })
    }
    for (const { gapMs, thereMs, backMs } of wanted) {
      clock.advance(gapMs)
      let waitMs = quota.waitMs(clock.now())
      for (let tries = 0; waitMs > 0 && tries < 20; tries += 1) {
        clock.advance(Number.isFinite(waitMs) ? waitMs : 500)
        waitMs = quota.waitMs(clock.now())
      }
      if (waitMs === 0) leave(thereMs, backMs, quota.use(clock.now(), 'full', 1))
    }
    clock.advance(20_000)
    return receivedMs
  }

  it("no span of a window's length holds more calls at the network than its limit", () => {
    fc.assert(
      fc.property(windows, attempts, (quotas, wanted) => {
        const receivedMs = receiptsOf(budgetOf(...quotas), wanted, () => undefined)
        for (const { limit, windowMs } of quotas) {
          for (const [place, ms] of receivedMs.entries()) {
            const before = receivedMs[place - limit]
            assert.ok(before === undefined || ms - before >= windowMs)
          }
        }
      }),
      { numRuns: 500 },
    )
  })

  for (const kind of ['fixed', 'sliding', 'midnight'] as const) {
    it(`a network with ${kind} windows refuses no call, whatever it tells`, () => {
      fc.assert(
        fc.property(windows, attempts, fc.boolean(), (quotas, wanted, isTold) => {
          let nowMs = START_MS
          let refused = 0
          const network = new RateWindows(quotas, kind, () => nowMs)
          receiptsOf(budgetOf(...quotas), wanted, (receivedMs) => {
            nowMs = receivedMs
            refused += 1 - network.spend(1)
            const [told] = network.states().sort((a, b) => a.remaining - b.remaining)
            if (!isTold || !told) return undefined
            return left(told.remaining, Math.ceil((told.resetsAt - nowMs) / 1_000), told.limit)
          })
          assert.equal(refused, 0)
        }),
        { numRuns: 200 },
      )
    })
  }

  it('what others spent before an answer was written is respected', () => {
    const spentByOthers = fc.integer({ min: 0, max: 40 })
    fc.assert(
      fc.property(spentByOthers, fc.integer({ min: 1, max: 60 }), (others, resetSeconds) => {
        const window = { limit: 50, windowMs: 60_000 }
        const quota = budgetOf(window)
        const told = window.limit - 1 - others
        call(quota, START_MS, left(told, resetSeconds, window.limit))
        const untilMs = START_MS + resetSeconds * 1_000 - 1
        let calls = 0
        for (let nowMs = START_MS; nowMs < untilMs; nowMs += 500) calls += callsAt(quota, nowMs)
        assert.ok(calls <= told, `${calls} calls of ${told}`)
      }),
    )
  })

  it('a call that waits leaves before its impressions expire, if any call may', () => {
    const quota = fc.record({
      limit: fc.integer({ min: 1, max: 100 }),
      windowMs: fc.constantFrom(1_000, 60_000, 86_400_000, 30 * 86_400_000),
    })
    const told = fc.option(fc.tuple(fc.nat(120), fc.nat(1_000_000)))
    fc.assert(
      fc.property(quota, fc.nat(99), told, (given, spent, remaining) => {
        const quota = budgetOf(given)
        for (let made = 0; made < spent % given.limit; made += 1) {
          quota.settle(quota.use(START_MS, 'partial', 1), START_MS, undefined)
        }
        const headers = remaining ? left(...remaining) : {}
        quota.settle(quota.use(START_MS, 'partial', 1), START_MS, answerAt(START_MS, headers))
        assert(canSendWithinHour(quota), 'it waits until its impressions expire')
      }),
      { numRuns: 300 },
    )
  })

  it('any headers leave it with a wait that is a number', () => {
    const value = fc.oneof(fc.nat().map(String), fc.string())
    const names = ['ratelimit-policy', 'ratelimit', 'ratelimit-remaining', 'ratelimit-reset']
    const policy = fc.tuple(fc.nat(), fc.nat()).map(([limit, seconds]) => `${limit};w=${seconds}`)
    const headers = fc.dictionary(fc.constantFrom(...names), fc.oneof(value, policy))
    fc.assert(
      fc.property(fc.array(headers, { maxLength: 20 }), (answers) => {
        const quota = budgetOf(MINUTE, DAY)
        for (const [second, any] of answers.entries()) {
          const nowMs = START_MS + second * 1_000
          call(quota, nowMs, any)
          assert.ok(quota.waitMs(nowMs) >= 0)
          for (const kind of ['partial', 'full', 'retry'] as const) {
            const waitMs = quota.pacedWaitMs(nowMs, kind, 0)
            assert.ok(waitMs >= 0 && waitMs <= HOUR_MS)
          }
        }
      }),
    )
  })

  it('half a million calls in a window are remembered in little memory', () => {
    setFlagsFromString('--expose-gc')
    const collect: () => void = runInNewContext('gc')
    const quota = budgetOf({ limit: 1e9, windowMs: 86_400_000 })
    collect()
    const before = process.memoryUsage().heapUsed
    for (let made = 0; made < 500_000; made += 1) call(quota, START_MS + made * 160)
    collect()
    const grownBy = process.memoryUsage().heapUsed - before
    assert.ok(grownBy < 4_000_000, `${grownBy} bytes`)
    assert.equal(quota.waitMs(START_MS), 0)
  })
})
