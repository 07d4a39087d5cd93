// Tests lib/lmdb/lmdb-store.ts

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LmdbStore } from '../../lib/lmdb/lmdb-store.js'
import { storeContract } from '../delivery/outbox/store-contract.js'
import { VirtualClock } from '../delivery/virtual-clock.js'

describe('LMDB store', () => {
  let directory: string
  let stores = 0
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'lmdb-store-'))
  })
  after(() => {
    rmSync(directory, { recursive: true })
  })

  storeContract('LMDB', () => {
    const virtual = new VirtualClock()
    const clock = { monotonicNow: virtual.now, wallNow: virtual.wallNow }
    stores += 1
    const path = join(directory, String(stores))
    return {
      open: () => new LmdbStore({ path, sync: 'soon', network: 'acme', clock }),
      advance: (ms) => virtual.advance(ms),
    }
  })
})
