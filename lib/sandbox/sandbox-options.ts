import type { CustomNetworkOptions } from './custom-network.js'
import type { RateLimitForm } from './rate-limit-headers.js'
import type { RateWindow, RateWindowKind } from './rate-windows.js'

/**
 * The options of `startSandbox()`.
 *
 * @typeParam Name the names of your own networks
 */
export interface SandboxOptions<Name extends string = string> {
  /**
   * The port of the sandbox page on 127.0.0.1. ENS listens on the next port, Closient on the one
   * after that, then your own networks. 0 selects free ports.
   *
   * @default 0
   */
  readonly port?: number
  /** The clock for the ledger and the rate-limit windows, in ms since the epoch. @default Date.now */
  readonly now?: () => number
  /** How the sandbox of ENS behaves. */
  readonly ens?: {
    /** The only key that it accepts. @default 'sandbox-ens-key' */
    readonly apiKey?: string
  }
  /** How the sandbox of Closient behaves. */
  readonly closient?: {
    /** The only key that it accepts. @default 'csb_sandbox_key' */
    readonly apiKey?: string
    /** The rate limits of the key. @default 300 a minute and 10,000 a day, as Closient publishes */
    readonly windows?: readonly RateWindow[]
    /** Closient does not document when a window begins. @default 'fixed' */
    readonly windowKind?: RateWindowKind
    /** How responses report the windows; `[]`: not at all. @default ['policy', 'fields', 'legacy'] */
    readonly rateLimitHeaders?: readonly RateLimitForm[]
  }
  /** Networks of your own, by name: lower case, as in `defineNetwork`. @default {} */
  readonly networks?: Readonly<Record<Name, CustomNetworkOptions>>
  /** How many calls each network's ledger keeps. The oldest are dropped. @default 100_000 */
  readonly maxCalls?: number
  /** How many impressions each network's ledger keeps. @default 500_000 */
  readonly maxImpressions?: number
}
