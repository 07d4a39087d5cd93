import { z } from 'zod'
import { checkOptions, wholeNumber } from '../check-options.js'
import { type Clock, waitAtMost } from '../clock.js'
import { warnAtExit } from '../counting/exit-warning.js'
import type { OutcomeListener } from '../counting/outcome-events.js'
import type { Statistics, Stats } from '../counting/statistics.js'
import { describeError } from '../errors.js'
import type { Log } from '../logger.js'
import type { Health } from '../observability/health.js'
import type { Delivery } from './delivery.js'

/** The options of `flush()` and `close()`. */
export interface TimeoutOptions {
  /**
   * How long it may take, in milliseconds. An invalid value is logged, and the default is used.
   *
   * @default 10_000
   */
  timeoutMs?: number | undefined
}

/** The tracker's methods. They are on the middleware as well. */
export interface TrackerMethods {
  /** Figures by network name. `unknown` counts invalid inputs whose network is not known. */
  stats(): Stats
  /**
   * The figures of all processes that share an outbox, including those that have ended; without a
   * shared outbox, the same as `stats()`. They balance as well. A process that is alive reports its
   * latest figures every few seconds. Rejects if the outbox fails.
   */
  fleetStats(): Promise<Stats>
  /**
   * Whether each network accepts impressions now, for a `/healthz` endpoint. Do not let an
   * orchestrator restart the process because a network is `down`: what is pending would be lost.
   */
  health(): Health
  /**
   * Sends what is pending as fast as the quotas allow, for example before a serverless function
   * freezes. Call it after the response has finished. What has no outcome by then stays pending. With
   * a shared outbox, what another process sends is done once it is stored.
   *
   * @returns `true` when everything pending at the call has an outcome, `false` when the time has
   *   run out
   */
  flush(options?: TimeoutOptions): Promise<boolean>
  /**
   * Accepts no more impressions, and sends what is pending and what responses still hold. What has
   * no outcome when the time has run out is counted as `dropped: closed`, or `uncertain` if it may
   * have counted. Nothing is sent after that. What a shared outbox has stored, and this process has
   * not sent, waits there for another process instead. Connections or an outbox that do not answer delay it
   * by up to 2 seconds more. Calling it again returns the same promise.
   *
   * @returns `true` when everything got its outcome in time, `false` when the time has run out
   */
  close(options?: TimeoutOptions): Promise<boolean>
  /**
   * Calls `listener` with each outcome.
   *
   * @returns a function that removes the listener
   */
  on(event: 'outcome', listener: OutcomeListener): () => void
  /** Calls `close()`: `await using tracker = createTracker()`. */
  [Symbol.asyncDispose](): Promise<void>
}

const DEFAULT_TIMEOUT_MS = 10_000

const timeoutSchema = z.strictObject({ timeoutMs: wholeNumber(0).default(DEFAULT_TIMEOUT_MS) })

/** The methods alone, to be put on a middleware. */
export function pickMethods(tracker: TrackerMethods): TrackerMethods {
  const { stats, fleetStats, health, flush, close, on } = tracker
  return {
    stats,
    fleetStats,
    health,
    flush,
    close,
    on,
    [Symbol.asyncDispose]: async () => void (await close()),
  }
}

/** What the methods act on. */
interface MethodsDependencies {
  readonly deliveries: readonly Delivery[]
  readonly statistics: Statistics
  readonly clock: Clock
  readonly log: Log
  /** With `isClosed`, no impression is accepted. */
  readonly lifecycle: { isClosed: boolean }
  readonly openResponses: { drop(): void }
}

/** Creates the methods of a tracker that sends. */
export function createMethods({
  deliveries,
  statistics,
  clock,
  log,
  lifecycle,
  openResponses,
}: MethodsDependencies): TrackerMethods {
  const removeExitWarning = warnAtExit(() => statistics.snapshot())
  let closing: Promise<boolean> | undefined

  async function drainAndClose(timeoutMs: number): Promise<boolean> {
    lifecycle.isClosed = true
    for (const delivery of deliveries) delivery.suspendPacing()
    const flushing = Promise.all(deliveries.map((delivery) => delivery.flush(timeoutMs)))
    const isIdle = await waitAtMost(clock, timeoutMs, statistics.whenIdle())
    const flushed = await flushing
    openResponses.drop()
    await Promise.all(deliveries.map((delivery) => delivery.close()))
    removeExitWarning()
    return isIdle && flushed.every(Boolean)
  }

  const methods: TrackerMethods = {
    stats: () => statistics.snapshot(),
    health: () =>
      Object.fromEntries(deliveries.map((delivery) => [delivery.network, delivery.health()])),
    fleetStats: async () => statistics.combine(await readFleetFigures(deliveries)),
    async flush(options = {}) {
      const timeoutMs = readTimeout('flush()', options, log)
      // When called on the response's own 'finish', our listener runs first this way.
      await new Promise<void>((resolve) => clock.defer(resolve))
      for (const delivery of deliveries) delivery.suspendPacing()
      const flushed = await Promise.all(deliveries.map((delivery) => delivery.flush(timeoutMs)))
      for (const delivery of deliveries) delivery.resumePacing()
      return flushed.every(Boolean)
    },
    close(options = {}) {
      closing ??= drainAndClose(readTimeout('close()', options, log))
      return closing
    },
    on: (event, listener) => statistics.on(event, listener),
    [Symbol.asyncDispose]: async () => void (await methods.close()),
  }
  return methods
}

/** The methods with `enabled: false`: nothing is ever pending. */
export function createDisabledMethods(statistics: Statistics, health: Health): TrackerMethods {
  return {
    stats: () => statistics.snapshot(),
    fleetStats: async () => statistics.snapshot(),
    health: () => health,
    flush: async () => true,
    close: async () => true,
    on: (event, listener) => statistics.on(event, listener),
    [Symbol.asyncDispose]: async () => {},
  }
}

/** By network, for those whose outbox several processes share. */
async function readFleetFigures(
  deliveries: readonly Delivery[],
): Promise<Map<string, Readonly<Record<string, number>>>> {
  const figures = new Map<string, Readonly<Record<string, number>>>()
  const read = async ({ network, fleet }: Delivery) => {
    if (fleet) figures.set(network, await fleet.readFigures())
  }
  await Promise.all(deliveries.map(read))
  return figures
}

/** An invalid option must not lose impressions at the end of a process, so it is only logged. */
function readTimeout(method: 'flush()' | 'close()', options: unknown, log: Log): number {
  try {
    return checkOptions(method, timeoutSchema, options).timeoutMs
  } catch (thrown) {
    const message = `${describeError(thrown)}; ${DEFAULT_TIMEOUT_MS} ms are used instead`
    log.error(`option-failed ${method}`, message)
    return DEFAULT_TIMEOUT_MS
  }
}
