import type { ClosientFields } from './closient-batch.js'
import { ClosientRules } from './closient-rules.js'
import type { Counted, LedgerBounds } from './ledger.js'
import { type SandboxNetwork, ServedNetwork } from './network.js'
import type { RateLimitForm } from './rate-limit-headers.js'
import {
  type RateWindow,
  type RateWindowKind,
  type RateWindowState,
  RateWindows,
} from './rate-windows.js'

/** One impression that the Closient sandbox counted: an item of a batch. */
export type CountedClosientImpression = ClosientFields & Counted

/** Closient, which limits the calls of an API key. */
export interface ClosientSandbox extends SandboxNetwork<CountedClosientImpression> {
  /** The current state of each rate-limit window. */
  readonly budget: RateWindowState[]
  /**
   * Uses up calls, as another program with the same key would. Returns how many of them were
   * left to use.
   */
  spend(calls: number): number
}

export class ClosientNetwork extends ServedNetwork<ClosientFields> implements ClosientSandbox {
  readonly #windows: RateWindows

  constructor(options: {
    readonly apiKey: string
    readonly windows: readonly RateWindow[]
    readonly windowKind: RateWindowKind
    readonly forms: readonly RateLimitForm[]
    readonly now: () => number
    readonly bounds: LedgerBounds
  }) {
    const windows = new RateWindows(options.windows, options.windowKind, options.now)
    super({ ...options, rules: new ClosientRules({ ...options, windows }) })
    this.#windows = windows
  }

  override get budget(): RateWindowState[] {
    return this.#windows.states()
  }

  spend(calls: number): number {
    return this.#windows.spend(calls)
  }

  override reset(): void {
    super.reset()
    this.#windows.reset()
  }
}
