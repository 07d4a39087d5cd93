import type { ContestantName } from '../contestants/contestants.js'
import type { SiteFramework } from './create-site.js'

/** In the order of the tables. */
export type ByContestant<Figures> = ReadonlyMap<ContestantName, Figures>

/** One figure for each round. */
export interface ClosedLoopFigures {
  /** CPU time per request. */
  readonly cpuUs: readonly number[]
  /** CPU time per request of the bare page in the same rounds. */
  readonly bareCpuUs: readonly number[]
  readonly requestsPerSecond: readonly number[]
}

/** One figure for each round. */
export interface OpenLoopFigures {
  /** CPU time per request. */
  readonly cpuUs: readonly number[]
  readonly p50Ms: readonly number[]
  readonly p99Ms: readonly number[]
}

/** A site in its own process, from its start to its shutdown. */
export interface StandaloneFigures {
  /** Resident memory after everything was sent. */
  readonly rssMb: number
  readonly tracked: number
  readonly arrived: number
  readonly calls: number
  /** How long the shutdown took. `undefined` if the contestant has no such method. */
  readonly closeMs: number | undefined
}

export interface PageFigures {
  readonly closedLoop: ByContestant<ClosedLoopFigures>
  readonly openLoop: ByContestant<OpenLoopFigures>
  readonly standalone: ByContestant<StandaloneFigures>
}

export const FRAMEWORK_LABELS: Readonly<Record<SiteFramework, string>> = {
  koa: 'Koa 3',
  express: 'Express 5',
}

/** @throws {RangeError} if that contestant was not measured */
export function getFigures<Figures>(figures: ByContestant<Figures>, name: ContestantName): Figures {
  const found = figures.get(name)
  if (!found) throw new RangeError(`no figures of ${name}`)
  return found
}
