import type { Network } from 'ad-impressions'
import type { WireName } from '../sink/wires.js'

/** One way to count impressions. */
export interface Contestant {
  /** What the tables call it. */
  readonly label: string
  /** Impressions that each page counts. */
  readonly impressions: number
  readonly wire: WireName | undefined
  /** What the network's rate-limit headers tell of, where it has any. */
  readonly callsPerMinute?: number
  /** Where its calls must be answered sooner than the others'. */
  readonly latencyMs?: number
  /** Loads nothing but what this contestant needs: its memory is measured as well. */
  load(): Promise<Start>
}

/** @param sinkUrl where its calls go */
export type Start = (sinkUrl: string) => Counting

/** A contestant at work in a server's process. */
export interface Counting {
  /** What it is given to count a display of this campaign. */
  inputOf(campaign: number): object
  /** The library's own: what its middleware is mounted with, which then has `flush` and `close`. */
  readonly networks?: readonly Network[]
  /** What the page's template calls where it is not the library's own. */
  readonly track?: (input: never) => void
  /** What the page waits for before it is rendered. */
  readonly trackFirst?: (inputs: readonly never[]) => Promise<void>
  /** Sends what is pending, and resolves when that has an end. */
  readonly flush?: () => Promise<unknown>
  /** Shuts down, and resolves when nothing is pending any more; none: there is no way to know. */
  readonly close?: (timeoutMs: number) => Promise<void>
}
