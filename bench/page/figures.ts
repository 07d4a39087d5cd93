import type { ContestantName } from '../contestants/contestants.js'

/** One that every contestant's server can hold. */
export const PAGES_PER_SECOND = 250

/** A contestant's figures, one of each round, in a process of its own. */
export interface Figures {
  readonly cpuUs: number[]
  readonly rssMb: number[]
  readonly p50Ms: number[]
  readonly p99Ms: number[]
  tracked: number
  arrived: number
  calls: number
  closeMs: number | undefined
}

export type FiguresByName = ReadonlyMap<ContestantName, Figures>

export function noFigures(): Figures {
  return {
    cpuUs: [],
    rssMb: [],
    p50Ms: [],
    p99Ms: [],
    tracked: 0,
    arrived: 0,
    calls: 0,
    closeMs: undefined,
  }
}
