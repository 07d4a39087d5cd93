// Tests lib/lmdb/environment.ts and check-data-file.ts

import assert from 'node:assert/strict'
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open } from 'lmdb'
import { LmdbStore } from '../../lib/lmdb/lmdb-store.js'
import { records, StoreOwner } from '../delivery/outbox/store-owner.js'
import { VirtualClock } from '../delivery/virtual-clock.js'

describe('LMDB store, files', () => {
  let directory: string
  let path: string
  let dataFile: string
  let owners = 0
  const stores: LmdbStore[] = []
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'lmdb-files-'))
    path = join(directory, 'outbox')
    dataFile = join(path, 'data.mdb')
  })
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close()
    rmSync(directory, { recursive: true })
  })

  function createOwner(
    at = path,
    options: Partial<ConstructorParameters<typeof LmdbStore>[0]> = {},
  ) {
    const store = new LmdbStore({ path: at, sync: 'soon', network: 'acme', ...options })
    stores.push(store)
    owners += 1
    return new StoreOwner(store, `owner ${owners}`)
  }

  /** A file with a few hundred records, which nobody has open. */
  async function createFile(): Promise<void> {
    const owner = createOwner()
    const ids = Array.from({ length: 500 }, (_, n) => `r${n}`)
    await owner.exchange({ append: records(...ids) })
    await owner.exchange({ isLeaving: true })
    await stores.pop()?.close()
  }

  it('creates the directory', async () => {
    const owner = createOwner(join(path, 'a', 'b.c'))
    assert.equal((await owner.exchange()).isLost, false)
  })

  it('survives a restart', async () => {
    await createFile()
    assert.equal((await createOwner().exchange()).arrivals.length, 500)
  })

  it('is opened once by outboxes that name the same directory in different ways', async () => {
    mkdirSync(path)
    symlinkSync(path, join(directory, 'link'))
    const owner = createOwner()
    const other = createOwner(join(directory, 'link'))
    await owner.exchange({ append: records('a') })
    assert.equal((await other.exchange()).others, 1)
    await owner.store.close()
    assert.equal((await other.exchange()).others, 1)
  })

  it('keeps networks apart', async () => {
    const owner = createOwner()
    const other = createOwner(path, { network: 'other' })
    await owner.exchange({ append: [{ id: 'a', payload: '', dedupeKey: 'k' }] })
    const { receipts, others } = await other.exchange({
      append: [{ id: 'a', payload: '', dedupeKey: 'k' }],
    })
    assert.deepEqual([receipts, others], [['accepted'], 0])
  })

  it('can be opened again after it was closed', async () => {
    for (let n = 0; n < 3; n += 1) {
      const owner = createOwner()
      await owner.exchange({ append: records(`a${n}`) })
      await Promise.all([owner.store.close(), createOwner().exchange()])
    }
  })

  it('fails every operation after it was closed', async () => {
    const { store } = createOwner()
    await store.close()
    await assert.rejects(store.readFleet(), /it is closed/)
  })

  it('refuses a directory that another release has written', async () => {
    mkdirSync(path)
    const root = open({ path, noSubdir: false, maxDbs: 1 })
    const db = root.openDB<unknown, Buffer>('acme', { keyEncoding: 'binary', encoding: 'msgpack' })
    for (const state of [{ version: 1, records: 3 }, JSON.stringify({ version: 3 })]) {
      await db.put(Buffer.of(0), state)
      const owner = createOwner()
      await assert.rejects(owner.exchange(), /its layout has version [13]: .* reads version 2$/)
      await stores.pop()?.close()
    }
    await root.close()
  })

  it('waits for the disk in sync mode `always`', async () => {
    const owner = createOwner(path, { sync: 'always' })
    for (const id of ['a', 'b']) {
      assert.deepEqual((await owner.exchange({ append: records(id) })).receipts, ['accepted'])
    }
  })

  it('uses the space of settled records and expired keys again', async () => {
    const clock = new VirtualClock()
    const owner = createOwner(path, {
      clock: { bootId: 'boot', monotonicNow: clock.now, wallNow: clock.wallNow },
    })
    const sizes: number[] = []
    for (let n = 0; n < 60; n += 1) {
      const ids = Array.from({ length: 40 }, (_, i) => `${n}-${i}`)
      const append = records(...ids).map((record) => ({
        ...record,
        payload: 'x'.repeat(300),
        dedupeKey: record.id,
      }))
      await owner.exchange({ append, dedupeTtlMs: 2_500, calls: 1, callsTtlMs: 2_500 })
      await owner.exchange({ claim: ids, callsTtlMs: 2_500 })
      await owner.exchange({ settle: ids, callsTtlMs: 2_500 })
      clock.advance(500)
      sizes.push(statSync(dataFile).size)
    }
    const [early, late] = [sizes[24], sizes.at(-1)]
    assert(early && late && late < early * 1.5, `${early} bytes became ${late}`)
  })

  const damages: [string, () => void, RegExp][] = [
    [
      'is of another program',
      () => writeFileSync(dataFile, 'text\n'.repeat(2_000)),
      /not a data file/,
    ],
    ['is full of zeros', () => writeFileSync(dataFile, Buffer.alloc(100_000)), /not a data file/],
    ['is a directory', () => replaceByDirectory(dataFile), /cannot be opened/],
    ['is cut off in a header', () => truncateSync(dataFile, 100), /not a data file/],
    ['is cut off after the headers', () => truncateSync(dataFile, 8_200), /MDB_CORRUPTED/],
    ['has lost its second half', () => truncateSync(dataFile, statSync(dataFile).size / 2), /MDB_/],
    ['is zeros after the headers', () => overwrite(dataFile), /MDB_CORRUPTED/],
  ]
  for (const [name, damage, message] of damages) {
    it(`fails operations, and not the process, if the file ${name}`, async () => {
      await createFile()
      damage()
      const owner = createOwner()
      for (let n = 0; n < 2; n += 1) {
        await assert.rejects(owner.exchange({ append: records('a') }), message)
        await assert.rejects(owner.store.readFleet(), /the outbox in .* failed/)
      }
    })
  }

  it('says which directory failed, and why', async () => {
    writeFileSync(path, '')
    await assert.rejects(createOwner().exchange(), {
      message: `the outbox in ${path} failed: EEXIST: file already exists, mkdir '${path}'`,
    })
  })

  it('works once the file is right', async () => {
    mkdirSync(path)
    writeFileSync(dataFile, 'text\n'.repeat(2_000))
    const owner = createOwner()
    await assert.rejects(owner.exchange())
    rmSync(dataFile)
    assert.deepEqual((await owner.exchange({ append: records('a') })).receipts, ['accepted'])
  })

  it('opens a file whose last pages LMDB has not written', async () => {
    await createFile()
    // As if LMDB counted one page more than it has written.
    const header = readFileSync(dataFile)
    for (const offset of [144, 4_096 + 144]) {
      header.writeBigUInt64LE(header.readBigUInt64LE(offset) + 1n, offset)
    }
    writeFileSync(dataFile, header)
    assert.equal((await createOwner().exchange()).arrivals.length, 500)
  })
})

function replaceByDirectory(file: string): void {
  rmSync(file)
  mkdirSync(file)
}

function overwrite(file: string): void {
  writeFileSync(file, readFileSync(file).fill(0, 8_192))
}
