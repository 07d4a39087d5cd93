import type { ImpressionInput } from './networks/network.js'
import type { PageLoad } from './page-load.js'

/** Records an impression. This is the function that templates see as `trackImpression`. */
export interface TrackImpression {
  /**
   * Records that a campaign is displayed on this page. Never blocks, and never throws unless the
   * option `strict` is set.
   *
   * @returns an empty string, so that an output tag prints nothing
   * @throws {InvalidImpressionError} if the input is invalid and the option `strict` is set
   */
  (input: ImpressionInput): ''
  /** This page load's id. */
  readonly requestId: string
  /**
   * Records the impression once the ad is viewable: half of its pixels for one second. Requires the
   * option `visibility`, and `script()` somewhere on the page.
   *
   * @returns the attribute `data-ad-impression` with a signed token, for the ad's element. It
   *   contains no characters that templates escape. Empty if the impression does not count.
   * @throws {InvalidImpressionError} if the input is invalid and the option `strict` is set
   */
  readonly whenVisible: (input: ImpressionInput) => string
  /**
   * The `<script>` tag that loads the client script. It may be anywhere on the page. Without the
   * option `visibility` it is empty, and an error is logged.
   *
   * @param options `nonce`: the nonce of the page's Content-Security-Policy
   */
  readonly script: (options?: { nonce?: string | undefined }) => string
}

/** What a helper needs of the page load behind it. */
type TrackingPageLoad = Pick<PageLoad<unknown>, 'requestId' | 'track' | 'whenVisible' | 'script'>

/** The property of the helper that holds its page load. */
const PAGE_LOAD = Symbol('page load')

type Helper = ((input: unknown) => '') & { [PAGE_LOAD]?: TrackingPageLoad }

/**
 * The prototype of every helper. Defining these getters on each helper would be much slower. The
 * functions that they return are bound, so templates may destructure the helper.
 */
const helperPrototype = Object.create(Function.prototype, {
  requestId: {
    get(this: { [PAGE_LOAD]: TrackingPageLoad }) {
      return this[PAGE_LOAD].requestId
    },
  },
  whenVisible: {
    get(this: { [PAGE_LOAD]: TrackingPageLoad }) {
      return (input: unknown) => this[PAGE_LOAD].whenVisible(input)
    },
  },
  script: {
    get(this: { [PAGE_LOAD]: TrackingPageLoad }) {
      return (options?: { nonce?: unknown }) => this[PAGE_LOAD].script(options?.nonce)
    },
  },
})

/** Creates the helper of one page load. */
export function createTrackImpression(pageLoad: TrackingPageLoad): TrackImpression {
  // A bound function takes less memory per request than a closure.
  const helper: Helper = pageLoad.track.bind(pageLoad)
  helper[PAGE_LOAD] = pageLoad
  return Object.setPrototypeOf(helper, helperPrototype)
}

/** The helper of a tracker with `enabled: false`: it accepts everything and does nothing. */
export function createDisabledTrackImpression(readRequestId: () => string): TrackImpression {
  let requestId: string | undefined
  return createTrackImpression({
    get requestId() {
      requestId ??= readRequestId()
      return requestId
    },
    track: () => '',
    whenVisible: () => '',
    script: () => '',
  })
}
