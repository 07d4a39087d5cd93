import type { Clock } from '../../lib/clock.js'
import type { CallEnd, Transport } from '../../lib/delivery/call/transport.js'
import type { QuotaWindow } from '../../lib/networks/network.js'
import { type RateWindowKind, RateWindows } from '../../lib/sandbox/rate-windows.js'
import { formatRateLimit, type HeaderForm, type RestrictiveWindow } from './rate-limit-headers.js'

export interface SimulatedNetworkOptions {
  readonly windows: readonly QuotaWindow[]
  readonly windowKind: RateWindowKind
  readonly headerForm: HeaderForm
  readonly reportedWindow: RestrictiveWindow
  /** Calls a day that another program makes with the same key, at random times. */
  readonly othersPerDay: number
  readonly clock: Clock
  readonly random: () => number
}

const DAY_MS = 86_400_000

const RATE_LIMIT_PROBLEM = {
  title: 'Too Many Requests',
  error_code: 'rate_limited',
  retryable: true,
}

/** A network in virtual time that counts calls and impressions and enforces its rate limit. */
export class SimulatedNetwork {
  /** Our calls that were allowed. */
  calls = 0
  /** Our calls that were refused although nobody else had called since our last answer. */
  refused = 0
  /** Our calls that were refused after another program had used up what was left. */
  refusedAfterOthers = 0
  impressions = 0
  /** Spans of a window's length, wherever they begin, in which we made more calls than allowed. */
  exceededWindows = 0
  readonly #options: SimulatedNetworkOptions
  readonly #windows: RateWindows
  /** When our calls were received, oldest first. */
  readonly #receivedMs: number[] = []
  #nextOtherCallMs: number
  #haveOthersCalled = false
  #nowMs: number

  constructor(options: SimulatedNetworkOptions) {
    this.#options = options
    this.#nowMs = options.clock.now()
    this.#windows = new RateWindows(options.windows, options.windowKind, () => this.#nowMs)
    this.#nextOtherCallMs = this.#nowMs + this.#drawOtherCallGapMs()
  }

  /** The connections of one process. */
  connect(): Transport {
    const inFlight = new Set<(end: CallEnd) => void>()
    return {
      send: ({ body }, onEnd) => {
        inFlight.add(onEnd)
        this.#answer(body, (end) => {
          if (inFlight.delete(onEnd)) onEnd(end)
        })
      },
      destroy: async () => {
        for (const onEnd of inFlight) onEnd({ error: new Error('closed'), sent: true })
        inFlight.clear()
      },
    }
  }

  #answer(body: string, onEnd: (end: CallEnd) => void): void {
    const { clock } = this.#options
    clock.after(this.#drawLatencyMs(), () => {
      const { status, headers } = this.#receive()
      const count = status === 200 ? countImpressions(body) : 0
      this.impressions += count
      const answer = status === 200 ? { success: true, count } : RATE_LIMIT_PROBLEM
      clock.after(this.#drawLatencyMs(), () =>
        onEnd({ answer: { status, headers, body: JSON.stringify(answer), atMs: clock.wallNow() } }),
      )
    })
  }

  #receive(): { status: number; headers: Record<string, string> } {
    const { clock, headerForm, reportedWindow } = this.#options
    this.#runOtherCalls(clock.now())
    this.#nowMs = clock.now()
    const isAllowed = this.#windows.spend(1) === 1
    if (isAllowed) this.#countCall()
    else if (this.#haveOthersCalled) this.refusedAfterOthers += 1
    else this.refused += 1
    this.#haveOthersCalled = false
    const states = this.#windows.states()
    const headers = formatRateLimit(states, this.#nowMs, headerForm, reportedWindow)
    return { status: isAllowed ? 200 : 429, headers }
  }

  #countCall(): void {
    this.calls += 1
    this.#receivedMs.push(this.#nowMs)
    for (const { limit, windowMs } of this.#options.windows) {
      const oldestMs = this.#receivedMs.at(-1 - limit)
      if (oldestMs !== undefined && this.#nowMs - oldestMs < windowMs) this.exceededWindows += 1
    }
  }

  /** Makes the calls of the other program that are due by `untilMs`. */
  #runOtherCalls(untilMs: number): void {
    while (this.#nextOtherCallMs <= untilMs) {
      this.#nowMs = this.#nextOtherCallMs
      const calls = this.#windows.spend(1)
      this.#haveOthersCalled ||= calls > 0
      this.#nextOtherCallMs += this.#drawOtherCallGapMs()
    }
  }

  #drawOtherCallGapMs(): number {
    const { othersPerDay, random } = this.#options
    return othersPerDay === 0
      ? Number.POSITIVE_INFINITY
      : (-Math.log(1 - random()) * DAY_MS) / othersPerDay
  }

  /** One way. Usually at most a tenth of a second, occasionally up to three seconds. */
  #drawLatencyMs(): number {
    const { random } = this.#options
    return random() < 0.01 ? random() * 3_000 : 5 + random() * 95
  }
}

function countImpressions(body: string): number {
  return body.split('"campaign_id"').length - 1
}
