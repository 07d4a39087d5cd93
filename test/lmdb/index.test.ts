import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SharedOutbox } from '../../lib/delivery/outbox/shared-outbox.js'
import { ConfigurationError } from '../../lib/errors.js'
import { lmdbOutbox } from '../../lib/lmdb/index.js'
import { LmdbStore } from '../../lib/lmdb/lmdb-store.js'
import { outboxContract } from '../delivery/outbox/outbox-contract.js'
import { createOutboxOptions, IGNORED_EVENTS } from '../delivery/outbox/outbox-options.js'

describe('lmdbOutbox', () => {
  let path: string
  let networks = 0
  const opened: LmdbStore[] = []
  before(() => {
    path = mkdtempSync(join(tmpdir(), 'lmdb-outbox-'))
  })
  after(async () => {
    for (const store of opened) await store.close()
    rmSync(path, { recursive: true })
  })

  for (const [name, longestWindowMs] of [
    ['LMDB, without windows', 0],
    ['LMDB, with windows', 60_000],
  ] as const) {
    outboxContract(name, (options) => {
      networks += 1
      const store = new LmdbStore({ path, sync: 'soon', network: `network ${networks}` })
      opened.push(store)
      return new SharedOutbox(store, { ...options, longestWindowMs }, 10_000)
    })
  }

  it('opens the same outbox in several processes', async () => {
    const open = lmdbOutbox({ path: join(path, 'shared'), sync: 'always', leaseMs: 1_000 })
    const outboxes = [open(createOutboxOptions()), open(createOutboxOptions())]
    for (const outbox of outboxes) {
      assert(outbox instanceof SharedOutbox)
      outbox.recover(IGNORED_EVENTS)
      assert.equal((await outbox.readFigures()).pending, 0)
      await outbox.leave()
    }
  })

  const wrong: [unknown, string][] = [
    [undefined, 'ad-impressions: lmdbOutbox(): options: expected an object'],
    [{}, 'ad-impressions: lmdbOutbox(): path: expected a string'],
    [{ path: '' }, 'ad-impressions: lmdbOutbox(): path: expected the path of a directory'],
    [
      { path: 'a', sync: 'never' },
      'ad-impressions: lmdbOutbox(): sync: expected one of "soon" or "always"',
    ],
    [
      { path: 'a', leaseMs: 10 },
      'ad-impressions: lmdbOutbox(): leaseMs: expected a whole number of at least 1000',
    ],
    [{ path: 'a', dir: 'b' }, 'ad-impressions: lmdbOutbox(): dir: there is no such option'],
  ]
  for (const [options, message] of wrong) {
    it(`throws for ${JSON.stringify(options)}`, () => {
      assert.throws(
        () => lmdbOutbox(options as { path: string }),
        (error) => error instanceof ConfigurationError && error.message.startsWith(message),
      )
    })
  }
})
