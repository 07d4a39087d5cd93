import type {
  ExchangeRequest,
  ExchangeResponse,
  FleetFigures,
  Store,
} from '../delivery/outbox/store.js'
import { describeError } from '../errors.js'
import { assertFreeSpace, type Environment, openEnvironment } from './environment.js'
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
  /** @default `machineClock` */
  readonly clock?: MachineClock
  /** An exchange that has no answer after so long fails. */
  readonly timeoutMs?: number
}

const TIMEOUT_MS = 10_000

/** What is known of an exchange before it runs. */
interface Asked {
  readonly request: ExchangeRequest
  readonly atMs: number
  /** Whether its time is up, and it must not run any more. */
  isAbandoned: boolean
}

/** A store in a directory, for the processes of one machine. The first operation opens it. */
export class LmdbStore implements Store {
  readonly #options: LmdbStoreOptions
  readonly #clock: MachineClock
  readonly #timeoutMs: number
  #environment: Environment | undefined
  #opening: Promise<Environment> | undefined
  /** Resolves when no transaction is under way. */
  #idle: Promise<unknown> = Promise.resolve()
  #hasFailed = false
  #isClosed = false

  constructor(options: LmdbStoreOptions) {
    this.#options = options
    this.#clock = options.clock ?? machineClock
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS
  }

  exchange(request: ExchangeRequest): Promise<ExchangeResponse> {
    return this.#use(async ({ db }) => {
      // lmdb writes to the console whenever a transaction fails.
      if (this.#hasFailed) assertFreeSpace(this.#options.path)
      // One that waits for the lock of another process still waits.
      await this.#inTime(this.#idle)
      const atMs = this.#clock.monotonicNow()
      const asked = { request, atMs, isAbandoned: false }
      const done = this.#transact(db, asked)
      this.#idle = done.catch((thrown: unknown) => this.#reasonFor(thrown))
      try {
        const response = await this.#inTime(done)
        this.#hasFailed = false
        return response
      } finally {
        asked.isAbandoned = true
      }
    })
  }

  hasArrivals(seenUpTo: number): Promise<boolean> {
    return this.#use(async ({ db }) => {
      db.resetReadTxn()
      return new Tables(db).readState().sequence > seenUpTo
    })
  }

  readFleet(): Promise<FleetFigures> {
    return this.#use(async ({ db }) => {
      db.resetReadTxn()
      const tables = new Tables(db)
      const { records } = tables.readState()
      return { figures: tables.sumFigures(), records }
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#opening?.catch(() => {})
    const environment = this.#environment
    this.#environment = undefined
    await environment?.close()
  }

  async #transact(db: Environment['db'], asked: Asked): Promise<ExchangeResponse> {
    // As a child, so that an error takes back what the step has written before.
    const done = db.childTransaction(() => this.#runStep(new Tables(db), asked))
    // Read now: later, it is about the transactions of others.
    const flushed = this.#options.sync === 'always' ? db.flushed.then(() => {}) : undefined
    const response = await done
    await flushed
    return response
  }

  #runStep(tables: Tables, { request, atMs, isAbandoned }: Asked): ExchangeResponse {
    if (isAbandoned) throw new Error('its time is up')
    const state = tables.readState()
    advanceStoreClock(state, this.#clock)
    const waitedMs = this.#clock.monotonicNow() - atMs
    // A process that had to wait for so long was not the only one.
    const isOutage = waitedMs > request.leaseMs / 2
    const outageMs = Math.max(request.outageMs, isOutage ? waitedMs : 0)
    return new Step(tables, state, { ...request, outageMs }).run()
  }

  async #use<Result>(operation: (environment: Environment) => Promise<Result>): Promise<Result> {
    try {
      const environment = this.#environment ?? (await this.#open())
      return await operation(environment)
    } catch (thrown) {
      this.#hasFailed = true
      const reason = await this.#reasonFor(thrown)
      const message = `the outbox in ${this.#options.path} failed: ${describeError(reason)}`
      throw new Error(message, { cause: reason })
    }
  }

  async #open(): Promise<Environment> {
    if (this.#isClosed) throw new Error('it is closed')
    this.#opening ??= openEnvironment(this.#options.path, this.#options.network)
    try {
      this.#environment = await this.#opening
      return this.#environment
    } finally {
      this.#opening = undefined
    }
  }

  async #inTime<Result>(result: Promise<Result>): Promise<Result> {
    let timer: NodeJS.Timeout | undefined
    const timeout = new Promise<never>((_resolve, reject) => {
      const message = 'it does not answer: another process may have been stopped while it wrote'
      // After a process stood still, Node runs timers before it hears what was done meanwhile.
      const onTimeout = () => setImmediate(() => reject(new Error(message)))
      timer = setTimeout(onTimeout, this.#timeoutMs)
      timer.unref()
    })
    try {
      return await Promise.race([result, timeout])
    } finally {
      clearTimeout(timer)
    }
  }

  async #reasonFor(thrown: unknown): Promise<unknown> {
    // lmdb reports a failed commit in two parts, and the second one as a promise that rejects.
    const { commitError } = Object(thrown) as { commitError?: Promise<unknown> }
    const reason = commitError ? await commitError.catch((error: unknown) => error) : thrown
    try {
      // LMDB calls that an input/output error.
      if (commitError) assertFreeSpace(this.#options.path)
      return reason
    } catch (full) {
      return full
    }
  }
}
