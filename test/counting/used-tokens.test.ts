import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { UsedTokens } from '../../lib/counting/used-tokens.js'
import type { Log } from '../../lib/logger.js'

const TTL_MS = 8_000

function createRecord(max = 1_000) {
  const clock = { nowMs: 1_000_000 }
  const errors: string[] = []
  const log: Log = { debug() {}, warn() {}, error: (_kind, message) => void errors.push(message) }
  const record = new UsedTokens({ max, ttlMs: TTL_MS, now: () => clock.nowMs, log })
  return { record, clock, errors }
}

describe('the record of used tokens', () => {
  it('tells campaigns and page loads apart', () => {
    const { record } = createRecord()
    record.add('a', 'ens:1')
    assert.ok(record.has('a', 'ens:1'))
    assert.ok(!record.has('a', 'ens:2'))
    assert.ok(!record.has('b', 'ens:1'))
    assert.ok(!record.has('a\nens:1', ''))
  })

  it('keeps every entry for its whole time, whenever it was made', () => {
    const { record, clock } = createRecord()
    const madeAtMs = new Map<string, number>()
    for (let step = 0; step < 400; step += 1) {
      clock.nowMs += 93
      record.add(`page-${step}`, 'ens:1')
      madeAtMs.set(`page-${step}`, clock.nowMs)
      for (const [page, atMs] of madeAtMs) {
        if (clock.nowMs - atMs <= TTL_MS) assert.ok(record.has(page, 'ens:1'), page)
      }
    }
  })

  it('forgets entries soon after their time', () => {
    const { record, clock } = createRecord()
    record.add('a', 'ens:1')
    clock.nowMs += 1.25 * TTL_MS + 1
    assert.ok(!record.has('a', 'ens:1'))
  })

  it('keeps an entry for its whole time after it was made again', () => {
    const { record, clock } = createRecord()
    for (let i = 0; i < 5; i += 1) {
      record.add('a', 'ens:1')
      clock.nowMs += TTL_MS
    }
    assert.ok(record.has('a', 'ens:1'))
  })

  it('has no more room once it is full, forgets nothing, and logs why', () => {
    const { record, clock, errors } = createRecord(100)
    for (let page = 0; page < 100; page += 1) {
      assert.ok(record.hasRoom())
      record.add(`page-${page}`, 'ens:1')
      clock.nowMs += TTL_MS / 200
    }
    assert.ok(!record.hasRoom())
    assert.ok(record.has('page-0', 'ens:1'))
    assert.match(errors.join(), /raise dedupe\.max/)
    clock.nowMs += 2 * TTL_MS
    assert.ok(record.hasRoom())
  })

  it('does not grow when the same token is reported again and again', () => {
    const { record, clock } = createRecord(2)
    for (let i = 0; i < 1_000; i += 1) {
      record.add('a', 'ens:1')
      clock.nowMs += TTL_MS / 50
    }
    assert.ok(record.hasRoom())
  })

  it('takes less than 100 bytes per entry, however long the ids are', () => {
    setFlagsFromString('--expose-gc')
    const collectGarbage = runInNewContext('gc')
    const { record } = createRecord(200_000)
    const text = 'x'.repeat(5_000)
    collectGarbage()
    const before = process.memoryUsage().heapUsed
    for (let i = 0; i < 100_000; i += 1) {
      record.add(`${randomUUID()}${text}`.slice(0, 200), `ens:${i}`)
    }
    collectGarbage()
    const bytes = (process.memoryUsage().heapUsed - before) / 100_000
    assert.ok(record.has('a', 'b') === false && bytes < 100, `${bytes} bytes`)
  })
})
