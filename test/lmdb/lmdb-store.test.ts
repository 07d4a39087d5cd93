// Tests lib/lmdb/lmdb-store.ts

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LmdbStore } from '../../lib/lmdb/lmdb-store.js'
import { storeContract } from '../delivery/outbox/store-contract.js'
import type { StoreSetup } from '../delivery/outbox/store-owner.js'
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
    const clock = { monotonicNow: virtual.now, wallNow: virtual.wallNow }
    networks += 1
    const network = `network ${networks}`
    return {
      open: () => new LmdbStore({ path, sync: 'soon', network, clock }),
      advance: (ms) => virtual.advance(ms),
    }
  }

  storeContract('LMDB', setUp)
  storeProperties('LMDB', setUp)
})
