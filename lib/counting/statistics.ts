import type { Clock } from '../clock.js'
import { type Impression, OUTCOMES, type Outcome, type OutcomeSubject } from '../impression.js'
import type { Log } from '../logger.js'
import type { Reason } from '../reason.js'
import { OutcomeEvents, type OutcomeListener } from './outcome-events.js'

/**
 * One network's figures. They always balance:
 * `tracked = held + pending + the sum of the outcomes`.
 */
export interface NetworkStats
  extends Readonly<Record<Outcome | 'tracked' | 'held' | 'pending', number>> {
  /** Of visible impressions. Absent without the option `visibility`. */
  readonly viewability?: Viewability
}

/** Visible impressions. They are counted beside the other figures, which balance without them. */
export interface Viewability {
  /** Ads for which `whenVisible()` issued a token, each once per page load. */
  readonly issued: number
  /** How many of them browsers reported as viewable, and had not counted otherwise before. */
  readonly viewable: number
}

/** Figures by network name. `unknown` counts the invalid inputs whose network is not known. */
export type Stats = Readonly<Record<string, NetworkStats>>

/** The figure that counts an impression now. */
export type Figure = Outcome | 'held' | 'pending'

const FIGURES: readonly Figure[] = ['held', 'pending', ...OUTCOMES]

/** An input or a token that did not become an impression. */
export interface InvalidInput {
  /** Empty if unknown. */
  readonly requestId: string
  readonly campaignId: string | number | undefined
  readonly placement?: string | undefined
  readonly offerId?: string | undefined
  readonly page?: string | undefined
  /** Names the field and what it should be. */
  readonly reason: Reason
}

/** Hears about each impression on its way. It must not throw. */
export interface ImpressionWatcher {
  /** The impression is now held by its response, or pending. */
  onWaiting(impression: Impression): void
  /** The impression, or an input that never became one, has its outcome. */
  onConcluded(subject: OutcomeSubject, outcome: Outcome, reason: Reason): void
}

/** Counts the inputs whose network is not known. */
export const UNKNOWN_NETWORK = 'unknown'

/** The figures of all networks, and the outcome events. */
export class Statistics {
  readonly #networks = new Map<string, NetworkStatistics>()
  readonly #events: OutcomeEvents
  readonly #clock: Clock
  readonly #watcher: ImpressionWatcher | undefined
  #idleWaiters: (() => void)[] = []

  /** @param hasViewability whether the option `visibility` is set */
  constructor(
    networks: readonly { readonly name: string }[],
    clock: Clock,
    log: Log,
    hasViewability = false,
    watcher?: ImpressionWatcher,
  ) {
    this.#clock = clock
    this.#watcher = watcher
    this.#events = new OutcomeEvents(clock, log)
    const onConcluded: OnConcluded = (...ended) => this.#onConcluded(...ended)
    const onHandedOver = () => this.#notifyIfIdle()
    for (const { name } of networks) {
      const statistics = new NetworkStatistics(onConcluded, onHandedOver, hasViewability, watcher)
      this.#networks.set(name, statistics)
    }
    this.#networks.set(UNKNOWN_NETWORK, new NetworkStatistics(onConcluded, onHandedOver))
  }

  /** @throws {RangeError} if no network has this name */
  forNetwork(name: string): NetworkStatistics {
    const statistics = this.#networks.get(name)
    if (!statistics) throw new RangeError(`no statistics for ${name}`)
    return statistics
  }

  /** Counts an input that did not become an impression, under its network if that is known. */
  concludeInvalid(network: string | undefined, { reason, ...input }: InvalidInput): void {
    const name = network ?? UNKNOWN_NETWORK
    const trackedAtMs = this.#clock.now()
    const subject: OutcomeSubject = { network: name, trackedAtMs, attempts: 0, ...input }
    this.forNetwork(name).conclude(subject, 'invalid', reason)
  }

  /** Resolves when no impression is held or pending. */
  async whenIdle(): Promise<void> {
    if (this.#isIdle()) return
    await new Promise<void>((resolve) => this.#idleWaiters.push(resolve))
  }

  /**
   * Calls `listener` with each outcome once it has been counted.
   *
   * @returns a function that removes the listener
   * @throws {TypeError} if the event or the listener is wrong
   */
  on(event: 'outcome', listener: OutcomeListener): () => void {
    if (event !== 'outcome' || typeof listener !== 'function') {
      throw new TypeError("ad-impressions: on() takes 'outcome' and a function")
    }
    return this.#events.add(listener)
  }

  /**
   * What one network's outbox shares with other processes. Inputs whose network is unknown have no
   * outbox, so the first network's carries their figure.
   */
  figuresToShare(network: string, isFirst: boolean): Readonly<Record<string, number>> {
    const { tracked, viewability, ...others } = this.forNetwork(network).snapshot()
    const figures = { ...others, ...viewability }
    if (!isFirst) return figures
    return { ...figures, [UNKNOWN_NETWORK]: this.forNetwork(UNKNOWN_NETWORK).snapshot().invalid }
  }

  /**
   * The figures of all processes that share outboxes.
   *
   * @param shared the sums of what `figuresToShare` returned, by network
   */
  combine(shared: ReadonlyMap<string, Readonly<Record<string, number>>>): Stats {
    const stats: Record<string, NetworkStats> = this.snapshot()
    let unknown: number | undefined
    for (const [network, figures] of shared) {
      stats[network] = createBalancedStats(figures)
      const { [UNKNOWN_NETWORK]: invalid } = figures
      // Processes whose first networks differ share it with different networks.
      if (invalid !== undefined) unknown = (unknown ?? 0) + invalid
    }
    if (unknown !== undefined) stats[UNKNOWN_NETWORK] = createBalancedStats({ invalid: unknown })
    return stats
  }

  /** A copy of all figures. */
  snapshot(): Stats {
    return Object.fromEntries(
      [...this.#networks].map(([name, statistics]) => [name, statistics.snapshot()]),
    )
  }

  #onConcluded(subject: OutcomeSubject, outcome: Outcome, reason: Reason): void {
    this.#watcher?.onConcluded(subject, outcome, reason)
    this.#events.publish(subject, outcome, reason)
    this.#notifyIfIdle()
  }

  #notifyIfIdle(): void {
    if (this.#idleWaiters.length === 0 || !this.#isIdle()) return
    for (const resolve of this.#idleWaiters.splice(0)) resolve()
  }

  #isIdle(): boolean {
    for (const { held, pending } of this.#networks.values()) if (held + pending > 0) return false
    return true
  }
}

type OnConcluded = (subject: OutcomeSubject, outcome: Outcome, reason: Reason) => void

/**
 * One network's figures, and their only writer. Each impression is counted in exactly one figure,
 * and moving it to another one takes it out of the first. So the figures balance by construction,
 * in whatever order these methods are called.
 */
export class NetworkStatistics {
  readonly #figures = createFigures()
  readonly #onConcluded: OnConcluded
  readonly #onHandedOver: () => void
  readonly #viewability: { issued: number; viewable: number } | undefined
  readonly #watcher: Pick<ImpressionWatcher, 'onWaiting'> | undefined

  /** @param hasViewability whether visible impressions are counted as well */
  constructor(
    onConcluded: OnConcluded,
    onHandedOver: () => void = () => {},
    hasViewability = false,
    watcher?: Pick<ImpressionWatcher, 'onWaiting'>,
  ) {
    this.#watcher = watcher
    this.#onConcluded = onConcluded
    this.#onHandedOver = onHandedOver
    this.#viewability = hasViewability ? { issued: 0, viewable: 0 } : undefined
  }

  /** Impressions that wait for their response to finish. */
  get held(): number {
    return this.#figures.held
  }

  /** Impressions that wait to be sent, or are in flight. */
  get pending(): number {
    return this.#figures.pending
  }

  /** The impression waits for its response to finish. */
  beginHeld(impression: Impression): void {
    if (this.#move(impression, 'held')) this.#watcher?.onWaiting(impression)
  }

  /** The impression, whether it was held or not, goes to delivery. */
  beginPending(impression: Impression): void {
    if (this.#move(impression, 'pending')) this.#watcher?.onWaiting(impression)
  }

  /** The impression, or an input that never became one, ends: it is counted, then published. */
  conclude(subject: OutcomeSubject, outcome: Outcome, reason: Reason): void {
    if (this.#move(subject, outcome)) this.#onConcluded(subject, outcome, reason)
  }

  /** Another process has taken over the impression, and counts it. */
  handOver(impression: Impression): void {
    const { countedAs } = impression
    if (countedAs !== 'held' && countedAs !== 'pending') return
    this.#figures[countedAs] -= 1
    this.#figures.tracked -= 1
    impression.countedAs = 'handed-over'
    this.#onHandedOver()
  }

  /** A token was issued, the first one for its campaign in its page load. */
  countIssued(): void {
    if (this.#viewability) this.#viewability.issued += 1
  }

  /** A browser reported an ad with a token as viewable, for the first time. */
  countViewable(): void {
    if (this.#viewability) this.#viewability.viewable += 1
  }

  snapshot(): NetworkStats {
    if (!this.#viewability) return { ...this.#figures }
    return { ...this.#figures, viewability: createViewability(this.#viewability) }
  }

  /** @returns `false` if the impression has ended already: an outcome is final */
  #move(subject: OutcomeSubject, to: Figure): boolean {
    const { countedAs: from } = subject
    if (from === undefined) this.#figures.tracked += 1
    else if (from === 'held' || from === 'pending') this.#figures[from] -= 1
    else return false
    this.#figures[to] += 1
    subject.countedAs = to
    return true
  }
}

/** `tracked` is the sum of the other figures. */
function createBalancedStats({
  issued,
  viewable = 0,
  ...figures
}: Readonly<Record<string, number>>): NetworkStats {
  const stats = createFigures()
  for (const name of FIGURES) {
    stats[name] = figures[name] ?? 0
    stats.tracked += stats[name]
  }
  return issued === undefined
    ? stats
    : { ...stats, viewability: createViewability({ issued, viewable }) }
}

/** As a number it is 0, so that the other figures still balance in code that sums all of them up. */
function createViewability(figures: Viewability): Viewability {
  return Object.defineProperty({ ...figures }, 'valueOf', { value: () => 0 })
}

function createFigures(): Record<Figure | 'tracked', number> {
  return {
    tracked: 0,
    held: 0,
    pending: 0,
    ...(Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0])) as Record<Outcome, number>),
  }
}
