/**
 * An outbox in a directory, for the processes of one machine.
 *
 * @module ad-impressions/lmdb
 */
import { resolve } from 'node:path'
import { z } from 'zod'
import { checkOptions, wholeNumber } from '../check-options.js'
import type { OpenOutbox } from '../delivery/outbox/outbox.js'
import { SharedOutbox } from '../delivery/outbox/shared-outbox.js'
import { LmdbStore } from './lmdb-store.js'

/** The options of `lmdbOutbox()`. */
export interface LmdbOutboxOptions {
  /**
   * The directory that all processes share: created if need be, and with nothing else in it. It has
   * to be on a disk of the machine, not on a network file system.
   */
  path: string
  /**
   * When an impression counts as stored. What is stored survives the end of the process, SIGKILL
   * included, in either mode.
   *
   * - `'soon'`: once the operating system has it. It is on the disk moments later. What a power cut
   *   or a crash of the operating system takes back is the last moments: impressions that were
   *   accepted are lost, and some that were sent are sent again.
   * - `'always'`: once it is on the disk. A power cut takes nothing back. Each step waits for the
   *   disk; pages do not.
   *
   * @default 'soon'
   */
  sync?: 'soon' | 'always'
  /**
   * How long a process may stay silent before others take over from it, in milliseconds. A process
   * that is stopped, or whose event loop is blocked, for longer loses what it has accepted to others.
   *
   * @default 10_000
   */
  leaseMs?: number
}

const schema = z.strictObject({
  path: z.string('expected a string').min(1, 'expected the path of a directory'),
  sync: z.enum(['soon', 'always']).default('soon'),
  leaseMs: wholeNumber(1_000).default(10_000),
})

/**
 * An outbox in a directory, for any number of processes of one machine, and for restarts: the value
 * of the option `outbox`. It needs the package `lmdb` 3, and no server.
 *
 * A pending impression takes about 400 bytes, and a dedupe key about 300 for as long as it is
 * remembered. The space is used again, and the file never shrinks.
 *
 * A directory that cannot be used, a damaged file or a full disk is logged as an error, and
 * impressions wait in memory until the outbox works again.
 *
 * @throws {ConfigurationError} if an option is wrong; the message names it
 * @example
 * ```ts
 * app.use(impressions({ outbox: lmdbOutbox({ path: '/var/lib/my-app/impressions' }) }))
 * ```
 */
export function lmdbOutbox(options: LmdbOutboxOptions): OpenOutbox {
  const { path, sync, leaseMs } = checkOptions('lmdbOutbox()', schema, options)
  const directory = resolve(path)
  return (outboxOptions) => {
    const store = new LmdbStore({ path: directory, sync, network: outboxOptions.network })
    return new SharedOutbox(store, outboxOptions, leaseMs)
  }
}
