// Tests lib/lmdb/lmdb-store.ts

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LmdbStore } from '../../lib/lmdb/lmdb-store.js'
import { machineClock } from '../../lib/lmdb/store-clock.js'
import { storeContract } from '../delivery/outbox/store-contract.js'
import {
  LEASE_MS,
  listIds,
  records,
  StoreOwner,
  type StoreSetup,
} from '../delivery/outbox/store-owner.js'
import { storeProperties } from '../delivery/outbox/store-properties.js'
import { VirtualClock } from '../delivery/virtual-clock.js'

describe('LMDB store', () => {
  let path: string
  let networks = 0
  /** Keeps the directory open: tests are faster with one directory, and a network for each. */
  let keeper: LmdbStore
  before(async () => {
    path = mkdtempSync(join(tmpdir(), 'lmdb-store-'))
    keeper = new LmdbStore({ path, sync: 'soon', network: 'keeper' })
    await keeper.readFleet()
  })
  after(async () => {
    await keeper.close()
    rmSync(path, { recursive: true })
  })

  function setUp(): StoreSetup {
    const virtual = new VirtualClock()
    const clock = { bootId: 'boot', monotonicNow: virtual.now, wallNow: virtual.wallNow }
    networks += 1
    const network = `network ${networks}`
    return {
      open: () => new LmdbStore({ path, sync: 'soon', network, clock }),
      advance: (ms) => virtual.advance(ms),
    }
  }

  it('takes over from nobody after it had to wait, since others had to wait as well', async () => {
    const virtual = new VirtualClock()
    let waitMs = 0
    // Each exchange reads the clock when it begins to wait, and again when it runs.
    let readings = 0
    const monotonicNow = () => {
      readings += 1
      return virtual.now() + (readings > 1 ? waitMs : 0)
    }
    const open = (name: string) => {
      const clock = { bootId: 'boot', monotonicNow, wallNow: virtual.wallNow }
      const owner = new StoreOwner(
        new LmdbStore({ path, sync: 'soon', network: 'waiting', clock }),
        name,
      )
      return (changes = {}) => {
        readings = 0
        return owner.exchange(changes)
      }
    }
    const [late, finder] = [open('late'), open('finder')]
    await late({ append: records('a') })
    waitMs = LEASE_MS + 1
    assert.deepEqual((await finder()).arrivals, [])
    virtual.advance(waitMs)
    waitMs = 0
    assert.equal((await late()).isLost, false)
    virtual.advance(LEASE_MS + 1)
    assert.deepEqual(listIds((await finder()).arrivals), ['a'])
  })

  it('remembers keys and calls on a machine that has been up for longer', async () => {
    const virtual = new VirtualClock()
    const DAY_MS = 86_400_000
    const append = (id: string) => [{ id, payload: '', dedupeKey: 'k' }]
    const windows = { calls: 1, callsTtlMs: DAY_MS, dedupeTtlMs: 1_800_000 }
    const open = (name: string, bootId: string, uptimeMs: number) => {
      const clock = { bootId, monotonicNow: () => virtual.now() + uptimeMs, wallNow: virtual.now }
      const store = new LmdbStore({ path, sync: 'soon', network: 'moved', clock })
      return new StoreOwner(store, name, 'fleet')
    }
    const before = open('before', 'a', 2 * DAY_MS)
    await before.exchange({ append: append('a'), ...windows })
    await before.exchange({ isLeaving: true, callsTtlMs: DAY_MS })
    virtual.advance(60_000)
    const after = open('after', 'b', 40 * DAY_MS)
    const { receipts, callAgesMs } = await after.exchange({ append: append('b'), ...windows })
    assert.deepEqual([receipts, callAgesMs], [['duplicate'], [60_000, 0]])
    for (const { store } of [before, after]) await store.close()
  })

  it('learns that a step was done while the process stood still', async () => {
    let hasRun = () => {}
    const wallNow = () => {
      hasRun()
      return Date.now()
    }
    const clock = { ...machineClock, wallNow }
    const store = new LmdbStore({ path, sync: 'soon', network: 'frozen', clock, timeoutMs: 250 })
    const owner = new StoreOwner(store, 'one')
    hasRun = () =>
      setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300))
    assert.deepEqual((await owner.exchange({ append: records('a') })).receipts, ['accepted'])
    await store.close()
  })

  storeContract('LMDB', setUp)
  storeProperties('LMDB', setUp, { runs: 25 })
})
