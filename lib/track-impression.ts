import type { ImpressionInput } from './networks/network.js'
import type { PageLoad } from './page-load.js'

/** Tells the network of a display: what templates see as `trackImpression`. */
export interface TrackImpression {
  /**
   * Records that a campaign is displayed on this page. Never blocks, and never throws unless the
   * option `strict` is set.
   *
   * @returns an empty string, so that a template's output tag prints nothing
   * @throws {InvalidImpressionError} with the option `strict`, if the input cannot be sent
   */
  (input: ImpressionInput): ''
  /** This page load's id. */
  readonly requestId: string
}

/** On the helper: the page load behind it. */
const PAGE_LOAD = Symbol('page load')

/** What every helper inherits: a getter on each of them would cost ten times as much to make. */
const helperPrototype = Object.create(Function.prototype, {
  requestId: {
    get(this: { [PAGE_LOAD]: PageLoad<unknown> }) {
      return this[PAGE_LOAD].requestId
    },
  },
})

/** The function that templates see. */
export function helperOf<Source>(pageLoad: PageLoad<Source>): TrackImpression {
  const trackImpression = (input: unknown) => pageLoad.track(input)
  trackImpression[PAGE_LOAD] = pageLoad
  return Object.setPrototypeOf(trackImpression, helperPrototype)
}
