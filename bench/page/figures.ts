import type { ContestantName } from '../contestants/contestants.js'

/** By contestant, in the order in which tables have them. */
export type ByName<Figures> = ReadonlyMap<ContestantName, Figures>

/** Closed loop, one figure of each round. */
export interface ClosedFigures {
  /** CPU time per request, in microseconds. */
  readonly cpuUs: readonly number[]
  /** That of bare in the same rounds. */
  readonly bareCpuUs: readonly number[]
  readonly requestsPerSecond: readonly number[]
}

/** Open loop, one figure of each round. */
export interface OpenFigures {
  /** CPU time per request, in microseconds. */
  readonly cpuUs: number[]
  readonly p50Ms: number[]
  readonly p99Ms: number[]
}

/** Of a process of its own, and all of its life. */
export interface LifeFigures {
  /** RSS when all was sent. */
  readonly rssMb: number
  readonly tracked: number
  readonly arrived: number
  readonly calls: number
  /** How long it took to shut down; `undefined` where nothing can tell. */
  readonly closeMs: number | undefined
}

export interface PageFigures {
  readonly closed: ByName<ClosedFigures>
  readonly open: ByName<OpenFigures>
  readonly lives: ByName<LifeFigures>
}
