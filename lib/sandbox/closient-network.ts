import { type ClosientShown, closientRules } from './closient.js'
import type { Counted, LedgerBounds } from './ledger.js'
import { type SandboxNetwork, ServedNetwork } from './network.js'
import type { RateLimitForm } from './rate-limit-headers.js'
import {
  type RateWindow,
  type RateWindowKind,
  type RateWindowState,
  RateWindows,
} from './rate-windows.js'

/** One impression that Closient counted: an item of a batch. */
export type ClosientImpression = ClosientShown & Counted

/** Closient, which has a budget. */
export interface ClosientSandbox extends SandboxNetwork<ClosientImpression> {
  /** The windows as they stand. */
  readonly budget: RateWindowState[]
  /**
   * Spends calls as another program with the same key would, and returns how many there were left
   * to spend.
   */
  spend(calls: number): number
}

export class ClosientNetwork extends ServedNetwork<ClosientShown> implements ClosientSandbox {
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
    super({ ...options, rules: closientRules({ ...options, windows }) })
    this.#windows = windows
  }

  get budget(): RateWindowState[] {
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
