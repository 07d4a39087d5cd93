import type { RequestListener } from 'node:http'
import type { Tracker } from 'ad-impressions'

/** @param firstCampaign from the query; without it, campaigns count from 1 */
export type CreatePageInputs = (firstCampaign: unknown) => readonly never[]

/** What the benchmark needs of the middleware of ad-impressions. */
export type SiteTracker = Pick<Tracker, 'flush' | 'close' | 'stats' | 'on'>

/** The page as an app of one framework. */
export interface SiteApp {
  readonly listener: RequestListener
  /** `undefined` if another contestant counts. */
  readonly tracker: SiteTracker | undefined
}
