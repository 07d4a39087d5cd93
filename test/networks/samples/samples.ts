import type { Fields } from '../../../lib/networks/network.js'

/** Inputs that the contract suite tries on a network. */
export interface NetworkSamples {
  /** Valid inputs that may share a call, each for a different campaign. */
  readonly valid: readonly [Fields, Fields, ...Fields[]]
  /** Pairs that spell the same campaign in two ways. */
  readonly spellings: readonly (readonly [Fields, Fields])[]
}

/** The documented values of a built-in network's options. */
export interface BuiltInSamples extends NetworkSamples {
  readonly publishedHost: string
  readonly maxConnections: number
}
