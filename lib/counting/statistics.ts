import type { Clock } from '../clock.js'
import { type Impression, OUTCOMES, type Outcome } from '../impression.js'
import type { Log } from '../logger.js'
import { OutcomeEvents, type OutcomeListener, type OutcomeSubject } from './outcome-events.js'

/**
 * One network's figures. They always balance:
 * `tracked = held + pending + the sum of the outcomes`.
 */
export type NetworkStats = Readonly<Record<Outcome | 'tracked' | 'held' | 'pending', number>>

/** Figures by network name. `unknown` counts the invalid inputs whose network is not known. */
export type Stats = Readonly<Record<string, NetworkStats>>

/** The figure that counts an impression now. */
export type Figure = Exclude<keyof NetworkStats, 'tracked'>

const FIGURES: readonly Figure[] = ['held', 'pending', ...OUTCOMES]

/** An input or a token that did not become an impression. */
export interface InvalidInput {
  /** Empty if unknown. */
  readonly requestId: string
  readonly campaignId: string | number | undefined
  readonly placement?: string | undefined
  readonly offerId?: string | undefined
  /** Names the field and what it should be. */
  readonly reason: string
}

/** Counts the inputs whose network is not known. */
export const UNKNOWN_NETWORK = 'unknown'

/** The figures of all networks, and the outcome events. */
export class Statistics {
  readonly #networks = new Map<string, NetworkStatistics>()
  readonly #events: OutcomeEvents
  readonly #clock: Clock
  #idleWaiters: (() => void)[] = []

  constructor(networks: readonly { readonly name: string }[], clock: Clock, log: Log) {
    this.#clock = clock
    this.#events = new OutcomeEvents(clock, log)
    const onConcluded: OnConcluded = (...ended) => this.#onConcluded(...ended)
    const onHandedOver = () => this.#notifyIfIdle()
    for (const name of [...networks.map((network) => network.name), UNKNOWN_NETWORK]) {
      this.#networks.set(name, new NetworkStatistics(onConcluded, onHandedOver))
    }
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
    const { tracked, ...figures } = this.forNetwork(network).snapshot()
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
    for (const [network, figures] of shared) {
      stats[network] = createBalancedStats(figures)
      const { [UNKNOWN_NETWORK]: invalid } = figures
      if (invalid !== undefined) stats[UNKNOWN_NETWORK] = createBalancedStats({ invalid })
    }
    return stats
  }

  /** A copy of all figures. */
  snapshot(): Stats {
    return Object.fromEntries(
      [...this.#networks].map(([name, statistics]) => [name, statistics.snapshot()]),
    )
  }

  #onConcluded(subject: OutcomeSubject, outcome: Outcome, reason: string): void {
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

type OnConcluded = (subject: OutcomeSubject, outcome: Outcome, reason: string) => void

/**
 * One network's figures, and their only writer. Each impression is counted in exactly one figure,
 * and moving it to another one takes it out of the first. So the figures balance by construction,
 * in whatever order these methods are called.
 */
export class NetworkStatistics {
  readonly #figures = createFigures()
  readonly #onConcluded: OnConcluded
  readonly #onHandedOver: () => void

  constructor(onConcluded: OnConcluded, onHandedOver: () => void = () => {}) {
    this.#onConcluded = onConcluded
    this.#onHandedOver = onHandedOver
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
    this.#move(impression, 'held')
  }

  /** The impression, whether it was held or not, goes to delivery. */
  beginPending(impression: Impression): void {
    this.#move(impression, 'pending')
  }

  /** The impression, or an input that never became one, ends: it is counted, then published. */
  conclude(subject: OutcomeSubject, outcome: Outcome, reason: string): void {
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

  snapshot(): NetworkStats {
    return { ...this.#figures }
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
function createBalancedStats(figures: Readonly<Record<string, number>>): NetworkStats {
  const stats = createFigures()
  for (const name of FIGURES) {
    stats[name] = figures[name] ?? 0
    stats.tracked += stats[name]
  }
  return stats
}

function createFigures(): Record<keyof NetworkStats, number> {
  return {
    tracked: 0,
    held: 0,
    pending: 0,
    ...(Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0])) as Record<Outcome, number>),
  }
}
