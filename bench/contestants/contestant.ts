import type { Tracker } from 'ad-impressions'
import type { WireName } from '../sink/wires.js'

/** One way to count impressions. */
export interface Contestant {
  /** What the tables call it. */
  readonly label: string
  /** Impressions that each page counts. */
  readonly impressions: number
  readonly wire: WireName | undefined
  /** The network's tier, where it tells of one. */
  readonly callsPerMinute?: number
  /** @param sinkUrl where its calls go */
  start(sinkUrl: string): Counting
}

/** A contestant at work in a server's process. */
export interface Counting {
  /** What it is given to count a display of this campaign. */
  inputOf(campaign: number): object
  /** The library's own. */
  readonly tracker?: Tracker
  /** What the page's template calls where it is not the library's own. */
  readonly track?: (input: never) => void
  /** What the page waits for before it is rendered. */
  readonly trackFirst?: (inputs: readonly never[]) => Promise<void>
  /** Resolves when nothing is pending any more; none: there is no way to know. */
  readonly close?: (timeoutMs: number) => Promise<void>
}
