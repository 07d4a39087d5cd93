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
  /**
   * Tells the network once the ad has been seen: half of its pixels for a second. Needs the option
   * `visibility`, and `script()` somewhere on the page.
   *
   * @returns the attribute `data-ad-impression` with a signed token, for the ad's element. It holds
   *   nothing that templates escape. Empty if the impression does not count.
   * @throws {InvalidImpressionError} with the option `strict`, if the input cannot be sent
   */
  readonly whenVisible: (input: ImpressionInput) => string
  /**
   * The tag `<script>` that loads the client script, for anywhere on the page. Empty, and said in the
   * log, without the option `visibility`.
   *
   * @param options `nonce`: of the page's Content-Security-Policy
   */
  readonly script: (options?: { nonce?: string | undefined }) => string
}

/** On the helper: the page load behind it. */
const PAGE_LOAD = Symbol('page load')

type Helper<Source> = ((input: unknown) => '') & { [PAGE_LOAD]?: PageLoad<Source> }

/**
 * What every helper inherits: getters on each of them would cost ten times as much to make. What they
 * get can be taken from the helper and passed on by itself.
 */
const helperPrototype = Object.create(Function.prototype, {
  requestId: {
    get(this: { [PAGE_LOAD]: PageLoad<unknown> }) {
      return this[PAGE_LOAD].requestId
    },
  },
  whenVisible: {
    get(this: { [PAGE_LOAD]: PageLoad<unknown> }) {
      return (input: unknown) => this[PAGE_LOAD].whenVisible(input)
    },
  },
  script: {
    get(this: { [PAGE_LOAD]: PageLoad<unknown> }) {
      return (options?: { nonce?: unknown }) => this[PAGE_LOAD].script(options?.nonce)
    },
  },
})

/** The function that templates see. */
export function createTrackImpression<Source>(pageLoad: PageLoad<Source>): TrackImpression {
  // Bound: 96 bytes a request, where an arrow function and what it closes over take 144.
  const helper: Helper<Source> = pageLoad.track.bind(pageLoad)
  helper[PAGE_LOAD] = pageLoad
  return Object.setPrototypeOf(helper, helperPrototype)
}
