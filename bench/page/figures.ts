import type { ContestantName } from '../contestants/contestants.js'

/** One that every contestant's server can hold. */
export const PAGES_PER_SECOND = 250

/** A contestant's figures, one of each round. */
export interface Figures {
  readonly closedCpuUs: number[]
  readonly requestsPerSecond: number[]
  readonly rssMb: number[]
  readonly openCpuUs: number[]
  readonly p50Ms: number[]
  /** Of all rounds: one of them has too few for a p99. */
  readonly latenciesMs: number[]
  tracked: number
  arrived: number
  calls: number
  closeMs: number | undefined
}

export type FiguresByName = ReadonlyMap<ContestantName, Figures>

export function noFigures(): Figures {
  return {
    closedCpuUs: [],
    requestsPerSecond: [],
    rssMb: [],
    openCpuUs: [],
    p50Ms: [],
    latenciesMs: [],
    tracked: 0,
    arrived: 0,
    calls: 0,
    closeMs: undefined,
  }
}
