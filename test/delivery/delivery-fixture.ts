import assert from 'node:assert/strict'
import { Statistics } from '../../lib/counting/statistics.js'
import { Delivery } from '../../lib/delivery/delivery.js'
import { MemoryOutbox } from '../../lib/delivery/outbox/memory-outbox.js'
import type { Outbox } from '../../lib/delivery/outbox/outbox.js'
import { type Impression, OUTCOMES, type Outcome, type OutcomeEvent } from '../../lib/impression.js'
import { createLog } from '../../lib/logger.js'
import { defineNetwork } from '../../lib/networks/define-network.js'
import type { NetworkDefinition } from '../../lib/networks/network.js'
import { readReasonCode } from '../../lib/reason.js'
import { createImpressionFactory } from './impressions.js'
import { ScriptedTransport } from './scripted-transport.js'
import { VirtualClock } from './virtual-clock.js'

export interface DeliveryOptions {
  readonly network?: Partial<NetworkDefinition<number>>
  readonly outbox?: Outbox
  readonly maxPending?: number
  readonly maxAgeMs?: number
  readonly random?: () => number
  readonly clock?: VirtualClock
  readonly transport?: ScriptedTransport
}

/** A delivery with a virtual clock and a scripted transport. It records outcomes and log messages. */
export function createDelivery(options: DeliveryOptions = {}) {
  const { maxPending = 100_000, maxAgeMs = 3_600_000, random = () => 0.5 } = options
  const clock = options.clock ?? new VirtualClock()
  const network = defineNetwork<number>({
    name: 'acme',
    baseUrl: 'http://127.0.0.1:9',
    fields: [],
    parse: () => ({ campaignId: 1, item: 1 }),
    request: (items) => ({
      method: 'POST',
      path: '/',
      headers: { authorization: 'Bearer secret' },
      body: JSON.stringify(items),
    }),
    ...options.network,
  })
  const logged: { level: string; message: string }[] = []
  const record = (level: string) => (_fields: object, message: string) => {
    logged.push({ level, message })
  }
  const log = createLog(
    { debug: record('debug'), warn: record('warn'), error: record('error') },
    clock,
  )
  const statistics = new Statistics([network], clock, log)
  const networkStatistics = statistics.forNetwork(network.name)
  const figures = () => networkStatistics.snapshot()
  const transport = options.transport ?? new ScriptedTransport(clock)
  const outbox = options.outbox ?? new MemoryOutbox({ maxPending, maxBatch: network.maxBatch })
  const outcomes: OutcomeEvent[] = []
  let firstImbalance: unknown
  statistics.on('outcome', (event) => {
    outcomes.push(event)
    // Statistics catches what a listener throws.
    try {
      assertBalanced()
    } catch (error) {
      firstImbalance ??= error
    }
  })
  const delivery = new Delivery({
    network,
    statistics: networkStatistics,
    outbox,
    transport,
    maxPending,
    maxAgeMs,
    clock,
    random,
    log,
  })
  const impression = createImpressionFactory(network.name)

  /** Asserts: tracked = held + pending + the sum of the outcomes. */
  function assertBalanced(): void {
    const current = figures()
    const { tracked, held, pending } = current
    const ended = OUTCOMES.reduce((sum, outcome) => sum + current[outcome], 0)
    assert.equal(tracked, held + pending + ended, 'the figures do not balance')
    assert(pending >= 0)
  }

  /** @throws if the figures did not balance at any outcome, or do not balance now */
  function checkBalance(): void {
    if (firstImbalance) throw firstImbalance
    assertBalanced()
  }

  return {
    network,
    log,
    delivery,
    clock,
    statistics,
    figures,
    transport,
    outbox,
    outcomes,
    logged,
    checkBalance,
    /** The next impression, tracked now. */
    createImpression: (more: Partial<Impression> = {}) =>
      impression({ trackedAtMs: clock.now(), sequence: 0, ...more }),
    /** Tracks impressions now, with the items 1, 2, 3 and so on. */
    push(count = 1, more: Partial<Impression> = {}): void {
      for (let n = 0; n < count; n += 1) {
        delivery.push(impression({ trackedAtMs: clock.now(), sequence: 0, ...more }))
        checkBalance()
      }
    },
    /** The campaigns whose impressions ended with this outcome, in order. */
    ended(outcome: Outcome): unknown[] {
      return outcomes.filter((event) => event.outcome === outcome).map((event) => event.campaignId)
    },
    /** Such as `delivered: http-200`. */
    reasons(): string[] {
      return outcomes.map(({ outcome, reason }) => `${outcome}: ${readReasonCode(reason)}`)
    },
    messages(pattern: RegExp): string[] {
      return logged.filter(({ message }) => pattern.test(message)).map(({ message }) => message)
    },
  }
}

export type DeliveryFixture = ReturnType<typeof createDelivery>

/** The numbers from `first` to `last`. */
export function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, n) => first + n)
}
