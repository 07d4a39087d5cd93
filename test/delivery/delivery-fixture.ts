import assert from 'node:assert/strict'
import { Statistics } from '../../lib/counting/statistics.js'
import { Delivery } from '../../lib/delivery/delivery.js'
import { MemoryOutbox, type Outbox } from '../../lib/delivery/outbox/outbox.js'
import { type Impression, OUTCOMES, type Outcome, type OutcomeEvent } from '../../lib/impression.js'
import { createLog } from '../../lib/logger.js'
import { defineNetwork } from '../../lib/networks/define-network.js'
import type { NetworkDefinition } from '../../lib/networks/network.js'
import { impressionsOf } from './impressions.js'
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

/** A delivery with a virtual clock, a scripted transport, and everything to be seen from outside. */
export function deliveryAtHand(options: DeliveryOptions = {}) {
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
  const say = (level: string) => (_fields: object, message: string) => {
    logged.push({ level, message })
  }
  const log = createLog({ debug: say('debug'), warn: say('warn'), error: say('error') }, clock)
  const books = new Statistics([network], clock, log)
  const account = books.account(network.name)
  const transport = options.transport ?? new ScriptedTransport(clock)
  const outbox = options.outbox ?? new MemoryOutbox({ maxPending, maxBatch: network.maxBatch })
  const outcomes: OutcomeEvent[] = []
  books.on('outcome', (event) => {
    outcomes.push(event)
    checkBooks()
  })
  const delivery = new Delivery({
    network,
    account,
    books,
    outbox,
    transport,
    maxPending,
    maxAgeMs,
    clock,
    random,
    log,
  })
  const impression = impressionsOf(network.name)

  /** The figures balance, and no impression has two outcomes. */
  function checkBooks(): void {
    const { tracked, held, pending } = account
    const ended = OUTCOMES.reduce((sum, outcome) => sum + account[outcome], 0)
    assert.equal(tracked, held + pending + ended, 'the books balance')
    assert(pending >= 0)
  }

  return {
    delivery,
    clock,
    books,
    account,
    transport,
    outbox,
    outcomes,
    logged,
    checkBooks,
    /** Tracks impressions now; their items count from 1. */
    push(count = 1, more: Partial<Impression> = {}): void {
      for (let n = 0; n < count; n += 1) {
        account.tracked += 1
        delivery.push(impression({ trackedAtMs: clock.now(), sequence: 0, ...more }))
        checkBooks()
      }
    },
    /** The campaigns that ended so, in the order in which they did. */
    ended(outcome: Outcome): unknown[] {
      return outcomes.filter((event) => event.outcome === outcome).map((event) => event.campaignId)
    },
    reasons(): string[] {
      return outcomes.map(({ outcome, reason }) => `${outcome}: ${reason}`)
    },
    said(pattern: RegExp): string[] {
      return logged.filter(({ message }) => pattern.test(message)).map(({ message }) => message)
    },
  }
}

export type DeliveryAtHand = ReturnType<typeof deliveryAtHand>

/** The numbers from `first` to `last`. */
export function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, n) => first + n)
}
