import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fleetContract } from '../delivery/outbox/fleet-contract.js'

describe('a fleet over LMDB', () => {
  fleetContract('LMDB', async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'ad-impressions-lmdb-'))
    return {
      engine: { kind: 'lmdb', path: directory },
      close: async () => rmSync(directory, { recursive: true, force: true }),
    }
  })
})
