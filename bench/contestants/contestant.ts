import type { Network } from 'ad-impressions'
import type { ProtocolName } from '../sink/protocols.js'

/** One way to count impressions. */
export interface Contestant {
  /** Its name in the tables. */
  readonly label: string
  readonly impressionsPerPage: number
  /** `undefined`: it sends no calls. */
  readonly protocol: ProtocolName | undefined
  /** The limit in the sink's rate-limit headers. `undefined`: the sink sends no such headers. */
  readonly callsPerMinute?: number
  /** How long the sink takes to answer, if not as long as for the other contestants. */
  readonly latencyMs?: number
  /** Imports only what this contestant needs, because its memory is measured as well. */
  load(): Promise<StartContestant>
}

/** @param sinkUrl where its calls go */
export type StartContestant = (sinkUrl: string) => RunningContestant

/** A contestant inside a site's process. */
export interface RunningContestant {
  /** Creates the input that counts one display of this campaign. */
  createInput(campaign: number): object
  /** For ad-impressions: the networks of its middleware, which has its own `flush` and `close`. */
  readonly networks?: readonly Network[]
  /** For the others: what the page's template calls. */
  readonly track?: (input: never) => void
  /** What the page awaits before it is rendered. */
  readonly trackBeforeRender?: (inputs: readonly never[]) => Promise<void>
  /** Sends what is pending. Resolves when nothing is, or when it gives up. */
  readonly flush?: () => Promise<unknown>
  /** Shuts down, and resolves when nothing is pending. `undefined`: there is no such method. */
  readonly close?: (timeoutMs: number) => Promise<void>
}
