import type { RequestListener } from 'node:http'
import { fileURLToPath } from 'node:url'
import type { Tracker } from 'ad-impressions'

/** As the compiled bench stands beside the source. */
export const VIEWS = fileURLToPath(new URL('../../bench/page/views', import.meta.url))

/** What the page shows: with these it is about 4 kB. */
export const PRODUCTS = Array.from({ length: 50 }, (_, place) => ({
  id: 1_000 + place,
  name: `Organic granola bars no. ${place + 1} & more`,
  price: (3 + place / 7).toFixed(2),
}))

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
