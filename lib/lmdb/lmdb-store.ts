import type {
  ExchangeRequest,
  ExchangeResponse,
  FleetFigures,
  Store,
} from '../delivery/outbox/store.js'
import { describeError } from '../errors.js'
import { type Environment, openEnvironment } from './environment.js'
import { Step } from './step.js'
import { advanceStoreClock, type MachineClock, machineClock } from './store-clock.js'
import { Tables } from './tables.js'

export interface LmdbStoreOptions {
  /** The directory of the data file. Created if need be. */
  readonly path: string
  /** When an exchange is done: once the operating system has it, or once it is on the disk. */
  readonly sync: 'soon' | 'always'
  /** The network whose records it holds. */
  readonly network: string
  readonly clock?: MachineClock
}

/** An exchange that waited longer for the others declares nobody dead: they may have waited too. */
const LATE_MS = 1_000

/** A store in a directory, for the processes of one machine. Opened by the first operation. */
export class LmdbStore implements Store {
  readonly #options: LmdbStoreOptions
  readonly #clock: MachineClock
  #environment: Environment | undefined
  #opening: Promise<Environment> | undefined
  #steps = 0
  #isClosed = false

  constructor(options: LmdbStoreOptions) {
    this.#options = options
    this.#clock = options.clock ?? machineClock
  }

  async exchange(request: ExchangeRequest): Promise<ExchangeResponse> {
    const { db } = this.#environment ?? (await this.#open())
    const tables = new Tables(db)
    if (!request.isResync) this.#steps += 1
    const asked = { number: this.#steps, atMs: this.#clock.monotonicNow() }
    // As a child, so that an error takes back what the step has written before.
    const done = db.childTransaction(() => this.#runStep(tables, request, asked))
    // Read now: later, it is about the transactions of others.
    const flushed = this.#options.sync === 'always' ? db.flushed.then(() => {}) : undefined
    try {
      const response = await done
      await flushed
      return response
    } catch (thrown) {
      throw await this.#describe(thrown)
    }
  }

  async hasArrivals(seenUpTo: number): Promise<boolean> {
    const tables = await this.#readTables()
    return tables.readState().sequence > seenUpTo
  }

  async readFleet(): Promise<FleetFigures> {
    const tables = await this.#readTables()
    const { pastFigures, records } = tables.readState()
    const figures = { ...pastFigures }
    for (const owner of tables.listOwners()) {
      for (const [name, count] of Object.entries(owner.figures)) {
        figures[name] = (figures[name] ?? 0) + count
      }
    }
    return { figures, records }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#opening?.catch(() => {})
    const environment = this.#environment
    this.#environment = undefined
    await environment?.close()
  }

  async #open(): Promise<Environment> {
    if (this.#isClosed) throw new Error(`the outbox in ${this.#options.path} is closed`)
    this.#opening ??= openEnvironment(this.#options.path, this.#options.network)
    try {
      this.#environment = await this.#opening
      return this.#environment
    } catch (thrown) {
      throw await this.#describe(thrown)
    } finally {
      this.#opening = undefined
    }
  }

  #runStep(
    tables: Tables,
    request: ExchangeRequest,
    asked: { number: number; atMs: number },
  ): ExchangeResponse {
    const state = tables.readState()
    advanceStoreClock(state, this.#clock)
    const canTakeOver = this.#clock.monotonicNow() - asked.atMs < LATE_MS
    return new Step(tables, state, request, asked.number).run(canTakeOver)
  }

  async #readTables(): Promise<Tables> {
    const { db } = this.#environment ?? (await this.#open())
    db.resetReadTxn()
    return new Tables(db)
  }

  async #describe(thrown: unknown): Promise<Error> {
    const reason = await commitErrorOf(thrown)
    return new Error(`the outbox in ${this.#options.path} failed: ${describeError(reason)}`, {
      cause: reason,
    })
  }
}

/** lmdb reports a failed commit in two parts, and the second one as a promise that rejects. */
async function commitErrorOf(thrown: unknown): Promise<unknown> {
  const { commitError } = Object(thrown) as { commitError?: Promise<unknown> }
  if (!commitError) return thrown
  return commitError.then(
    () => thrown,
    (reason: unknown) => reason,
  )
}
