import type { RequestListener } from 'node:http'
import type { Tracker } from 'ad-impressions'

/** What a page counts, by its query's `first` campaign: from 1 on where there is none. */
export type InputsOf = (first: unknown) => readonly never[]

/** What the library's middleware has of a tracker. */
export type TrackerMethods = Pick<Tracker, 'flush' | 'close' | 'stats' | 'on'>

/** An app in one framework. */
export interface App {
  readonly listener: RequestListener
  /** Where it is the library's own middleware that counts. */
  readonly tracker: TrackerMethods | undefined
}
