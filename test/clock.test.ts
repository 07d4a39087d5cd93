import assert from 'node:assert/strict'
import { systemClock, waitAtMost } from '../lib/clock.js'

/** Sets the system's clock by `byMs`, as far as this process can see, while `run` runs. */
async function withSystemClockSet<Value>(byMs: number, run: () => Promise<Value>): Promise<Value> {
  const { now } = Date
  Date.now = () => now() + byMs
  try {
    return await run()
  } finally {
    Date.now = now
  }
}

const HOUR_MS = 3_600_000

describe('the system clock', () => {
  it('reads as milliseconds since the Unix epoch, by both of its times', () => {
    assert.ok(Math.abs(systemClock.now() - Date.now()) < HOUR_MS)
    assert.ok(Math.abs(systemClock.wallNow() - Date.now()) < HOUR_MS)
  })

  for (const [direction, byMs] of [
    ['ahead', 50 * HOUR_MS],
    ['back', -7 * HOUR_MS],
  ] as const) {
    it(`does not move its monotonic time when it is set ${direction}`, async () => {
      const beforeMs = systemClock.now()
      const [nowMs, wallMs] = await withSystemClockSet(byMs, async () => [
        systemClock.now(),
        systemClock.wallNow(),
      ])
      assert.ok(nowMs >= beforeMs && nowMs - beforeMs < HOUR_MS)
      assert.ok(Math.abs(wallMs - beforeMs - byMs) < HOUR_MS)
    })
  }

  it('runs a timer of more days than Node holds no earlier than Node can', async () => {
    let hasRun = false
    const cancel = systemClock.after(2 ** 40, () => {
      hasRun = true
    })
    await new Promise((resolve) => setTimeout(resolve, 20))
    cancel()
    assert.equal(hasRun, false)
  })
})

describe('waitAtMost()', () => {
  it('resolves with the promise, and leaves no timer behind', async () => {
    const timers = new Set<unknown>()
    const clock = {
      ...systemClock,
      after: (delayMs: number, task: () => void) => {
        const cancel = systemClock.after(delayMs, task)
        timers.add(task)
        return () => {
          timers.delete(task)
          cancel()
        }
      },
    }
    await waitAtMost(clock, HOUR_MS, Promise.resolve())
    assert.equal(timers.size, 0)
  })
})
