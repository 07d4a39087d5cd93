import type { Clock } from '../../lib/clock.js'
import type { CallEnd, Transport } from '../../lib/delivery/call/transport.js'
import type { QuotaWindow } from '../../lib/networks/network.js'
import {
  type RateWindowKind,
  type RateWindowState,
  RateWindows,
} from '../../lib/sandbox/rate-windows.js'

/** How the answers tell of the windows. */
export type ToldForm = 'fields' | 'draft 07' | 'draft 08' | 'aliases'

/** Which window is the most restrictive one: of which the other forms tell. */
export type Reading = 'fewest calls left' | 'smallest share left'

export interface VirtualNetworkParts {
  readonly windows: readonly QuotaWindow[]
  readonly kind: RateWindowKind
  readonly form: ToldForm
  readonly reading: Reading
  /** Calls a day that another program makes with the same key, at random times. */
  readonly othersPerDay: number
  readonly clock: Clock
  readonly random: () => number
}

const DAY_MS = 86_400_000
const NAMES = ['burst', 'daily', 'third']

/** A network in virtual time that does nothing but count calls, refuse them, and tell of both. */
export class VirtualNetwork implements Transport {
  /** Our calls that it let through. */
  calls = 0
  /** Our calls that it refused with 429 though nobody else had called since it last told us. */
  refused = 0
  /** Our calls that it refused after another program had spent the last ones meanwhile. */
  forestalled = 0
  othersCalls = 0
  impressions = 0
  /** Spans of a window's length in which we made more calls than its limit, wherever they begin. */
  excesses = 0
  longestPauseMs = 0
  readonly #parts: VirtualNetworkParts
  readonly #windows: RateWindows
  readonly #startMs: number
  /** Our calls as they were received, oldest first. */
  readonly #receivedMs: number[] = []
  #othersNextMs: number
  /** Whether others have called since our last answer was written. */
  #isToldTooLittle = false
  #atMs: number

  constructor(parts: VirtualNetworkParts) {
    this.#parts = parts
    this.#startMs = parts.clock.now()
    this.#atMs = this.#startMs
    this.#windows = new RateWindows(parts.windows, parts.kind, () => this.#atMs)
    this.#othersNextMs = this.#startMs + this.#othersGapMs()
  }

  send({ body }: { readonly body: string }, onEnd: (end: CallEnd) => void): void {
    const { clock } = this.#parts
    clock.after(this.#latencyMs(), () => {
      const { status, headers } = this.#receive()
      const count = status === 200 ? impressionsIn(body) : 0
      this.impressions += count
      const answer = status === 200 ? { success: true, count } : PROBLEM
      clock.after(this.#latencyMs(), () =>
        onEnd({ answer: { status, headers, body: JSON.stringify(answer), atMs: clock.wallNow() } }),
      )
    })
  }

  async destroy(): Promise<void> {}

  #receive(): { status: number; headers: Record<string, string> } {
    const { clock } = this.#parts
    this.#letOthersCall(clock.now())
    this.#atMs = clock.now()
    const isAllowed = this.#windows.spend(1) === 1
    if (isAllowed) this.#count(this.#atMs)
    else if (this.#isToldTooLittle) this.forestalled += 1
    else this.refused += 1
    this.#isToldTooLittle = false
    const headers = this.#headers()
    return { status: isAllowed ? 200 : 429, headers }
  }

  #count(nowMs: number): void {
    const lastMs = this.#receivedMs.at(-1) ?? this.#startMs
    this.longestPauseMs = Math.max(this.longestPauseMs, nowMs - lastMs)
    this.calls += 1
    this.#receivedMs.push(nowMs)
    for (const { limit, windowMs } of this.#parts.windows) {
      const before = this.#receivedMs.at(-1 - limit)
      if (before !== undefined && nowMs - before < windowMs) this.excesses += 1
    }
  }

  #letOthersCall(nowMs: number): void {
    while (this.#othersNextMs <= nowMs) {
      this.#atMs = this.#othersNextMs
      const calls = this.#windows.spend(1)
      this.othersCalls += calls
      this.#isToldTooLittle ||= calls > 0
      this.#othersNextMs += this.#othersGapMs()
    }
  }

  #othersGapMs(): number {
    const { othersPerDay, random } = this.#parts
    return othersPerDay === 0
      ? Number.POSITIVE_INFINITY
      : (-Math.log(1 - random()) * DAY_MS) / othersPerDay
  }

  /** A tenth of a second at most as a rule, now and then a few seconds. */
  #latencyMs(): number {
    const { random } = this.#parts
    return random() < 0.01 ? random() * 3_000 : 5 + random() * 95
  }

  #headers(): Record<string, string> {
    const { form, reading } = this.#parts
    const nowMs = this.#atMs
    const states = this.#windows.states()
    const byReading = [...states].sort((one, other) =>
      reading === 'fewest calls left'
        ? one.remaining - other.remaining
        : one.remaining / one.limit - other.remaining / other.limit,
    )
    const [told] = byReading
    if (!told) return {}
    const resetSeconds = Math.ceil((told.resetsAt - nowMs) / 1_000)
    const date = new Date(nowMs).toUTCString()
    const policy = states.map(({ limit, windowMs }) => `${limit};w=${windowMs / 1_000}`).join(', ')
    switch (form) {
      case 'fields':
        return {
          date,
          'ratelimit-policy': policy,
          'ratelimit-limit': `${told.limit}`,
          'ratelimit-remaining': `${told.remaining}`,
          'ratelimit-reset': `${resetSeconds}`,
        }
      case 'draft 07':
        return {
          date,
          'ratelimit-policy': policy,
          ratelimit: `limit=${told.limit}, remaining=${told.remaining}, reset=${resetSeconds}`,
        }
      case 'draft 08':
        return draft08(states, nowMs)
      case 'aliases':
        return {
          date,
          'x-ratelimit-limit': `${told.limit}`,
          'x-ratelimit-remaining': `${told.remaining}`,
          'x-ratelimit-reset': `${Math.ceil(told.resetsAt / 1_000)}`,
        }
    }
  }
}

const PROBLEM = { title: 'Too Many Requests', error_code: 'rate_limited', retryable: true }

/** Since draft 08 an answer may tell of every window. */
function draft08(states: readonly RateWindowState[], nowMs: number): Record<string, string> {
  const list = (text: (state: RateWindowState) => string) =>
    states.map((state, place) => `"${NAMES[place]}";${text(state)}`).join(', ')
  return {
    'ratelimit-policy': list(({ limit, windowMs }) => `q=${limit};w=${windowMs / 1_000}`),
    ratelimit: list(
      ({ remaining, resetsAt }) => `r=${remaining};t=${Math.ceil((resetsAt - nowMs) / 1_000)}`,
    ),
  }
}

function impressionsIn(body: string): number {
  return body.split('"campaign_id"').length - 1
}
