import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from './clock.js'
import { type CountedCampaigns, type Dedupe, MAX_CAMPAIGNS } from './counting/dedupe.js'
import type { Statistics } from './counting/statistics.js'
import type { NetworkChannel } from './delivery/network-channel.js'
import { toInvalidImpressionError } from './errors.js'
import {
  type CountableImpression,
  HeldImpressions,
  type OpenResponses,
} from './held-impressions.js'
import { createImpression, type PageLoadIdentity } from './impression.js'
import type { Log } from './logger.js'
import type { Misuse } from './misuse.js'
import { type InputReader, identifyInput, type ReadInput } from './networks/input-reader.js'
import type { Inspector } from './observability/inspector/inspector.js'
import type { Configuration } from './options.js'
import { REASONS, type Suppression } from './reason.js'
import { Admission } from './request/admission.js'
import { preventCopies, warnIfShared } from './request/caching.js'
import { describePage } from './request/describe-page.js'
import { readOriginalUrl } from './request/original-url.js'
import { identifyPageLoad } from './request/request-id.js'
import { isEventStream } from './request/response-header.js'
import {
  type ResponseState,
  readResponseState,
  whenResponseEnds,
} from './request/response-state.js'
import { shareWithFragments } from './request/share-with-fragments.js'
import { suppressionForResponse } from './request/suppression-for-response.js'
import { RequestViewer } from './viewer/viewer.js'
import { findMountPath } from './visibility/mount-path.js'
import { createVisibilityOffError } from './visibility/options.js'
import { createScriptTag } from './visibility/script-tag.js'
import { type VisibilityParts, VisibleAds } from './visibility/visible-ads.js'

/** An impression that is tracked later than this after the end of its response is not of its page. */
const LATE_MS = 10_000

/** The tracker's parts, as a page load needs them. */
export interface PageLoadDependencies<Source> {
  readonly configuration: Configuration<Source>
  readonly reader: InputReader<NetworkChannel>
  readonly statistics: Statistics
  /** `undefined` without the option `visibility`. */
  readonly visibility: VisibilityParts<Source> | undefined
  readonly dedupe: Dedupe
  /** Whether other processes share an outbox with this one. */
  readonly hasFleet: boolean
  readonly log: Log
  readonly misuse: Misuse
  readonly clock: Clock
  readonly openResponses: OpenResponses
  /** `undefined` if the option `inspector` is off. */
  readonly inspector: Pick<Inspector<Source>, 'onIssued'> | undefined
}

/** What is read of a request, from the first impression on. */
interface RequestReading<Source> {
  readonly identity: PageLoadIdentity
  readonly viewer: RequestViewer<Source>
  readonly admission: Admission<Source>
  /** Its method and path, if the log has debug messages or the inspector is on. */
  readonly page: string | undefined
}

/**
 * One request and what it displays. It is created for every request, so it does nothing until the
 * first impression: id, viewer, listeners and the look-up in the LRU all wait for that.
 */
export class PageLoad<Source> {
  readonly #dependencies: PageLoadDependencies<Source>
  readonly #req: IncomingMessage
  readonly #res: ServerResponse
  readonly #source: Source
  #reading: RequestReading<Source> | undefined
  #campaigns: CountedCampaigns | undefined
  #held: HeldImpressions | undefined
  #visibleAds: VisibleAds | undefined
  /** How the response ended, if it displayed something before that. */
  #ended: ResponseState | undefined
  /** When it was first noticed that the response has ended. */
  #endedAtMs: number | undefined
  /** The URL that the middleware was given to route by: later routers cut more off. */
  readonly #url: string

  constructor(
    dependencies: PageLoadDependencies<Source>,
    req: IncomingMessage,
    res: ServerResponse,
    source: Source,
  ) {
    this.#dependencies = dependencies
    this.#req = req
    this.#res = res
    this.#source = source
    this.#url = req.url ?? '/'
  }

  get requestId(): string {
    return this.#readRequest().identity.requestId
  }

  /** Parses, admits, dedupes and sends an impression. Each step may be its last, with an outcome. */
  track(input: unknown): '' {
    const countable = this.#parse(input)
    if (!countable) return ''
    const { channel, impression, onceKey } = countable
    const state = this.#readState()
    const { admission } = this.#readRequest()
    const suppression = admission.suppressionWhenRendered ?? this.#suppressionForResponse(state)
    if (suppression) {
      channel.suppress(impression, suppression)
      return ''
    }
    this.#campaigns ??= this.#openCampaigns(state)
    if (!this.#hasRoomFor(countable, this.#campaigns)) return ''
    if (!channel.admit(impression)) return ''
    const waitsForEnd = channel.network.flush === 'finish' || admission.isSubresource
    if (waitsForEnd && state === 'open' && !isEventStream(this.#res)) {
      this.#hold(countable, this.#campaigns)
    } else {
      channel.send(impression, onceKey, this.#campaigns)
    }
    return ''
  }

  /**
   * Parses and admits an impression; the client script reports when the rest follows. Once the ad
   * is viewable its page is displayed, even if it was prefetched, and whatever its status.
   */
  whenVisible(input: unknown): string {
    const { visibility, dedupe, inspector } = this.#dependencies
    if (!visibility)
      return this.#rejectInvalid(undefined, undefined, createVisibilityOffError('whenVisible()'))
    const countable = this.#parse(input)
    if (!countable) return ''
    const { channel, impression, onceKey } = countable
    const suppression = this.#readRequest().admission.suppressionWhenSeen
    if (suppression) {
      channel.suppress(impression, suppression)
      return ''
    }
    const state = this.#readState()
    this.#campaigns ??= this.#openCampaigns(state)
    if (!this.#hasRoomFor(countable, this.#campaigns)) return ''
    if (!visibility.usedTokens.hasRoom()) {
      channel.conclude(impression, 'dropped', REASONS.tokenOverflow)
      return ''
    }
    try {
      this.#visibleAds ??= new VisibleAds(visibility)
      const attribute = this.#visibleAds.issue(channel, impression, onceKey, this.#campaigns)
      inspector?.onIssued(impression)
      if (state === 'open') dedupe.keepOpen(this.requestId, this.#campaigns)
      preventCopies(this.#res, this.#dependencies.log)
      return attribute
    } catch (thrown) {
      return this.#rejectInvalid(channel, undefined, thrown)
    }
  }

  /** The tag that loads the client script. */
  script(nonce: unknown): string {
    const { visibility, log } = this.#dependencies
    if (!visibility) {
      log.error('visibility-off', createVisibilityOffError('script()').message)
      return ''
    }
    this.#visibleAds ??= new VisibleAds(visibility)
    this.#visibleAds.hasScript = true
    const mountPath = findMountPath(readOriginalUrl(this.#req, this.#source), this.#url)
    return createScriptTag(visibility.routes.scriptUrl(mountPath), nonce, log)
  }

  /** Also notices a helper that was kept when its page had finished. */
  #readState(): ResponseState {
    const state = this.#ended ?? readResponseState(this.#req, this.#res)
    if (state === 'open') return state
    const { clock, misuse } = this.#dependencies
    const nowMs = clock.now()
    this.#endedAtMs ??= nowMs
    if (nowMs - this.#endedAtMs > LATE_MS) misuse.report('finished-page')
    return state
  }

  /** `undefined` if the input is invalid: it then has its outcome. */
  #parse(input: unknown): CountableImpression | undefined {
    const { reader, clock, configuration } = this.#dependencies
    let read: ReadInput | undefined
    let channel: NetworkChannel | undefined
    try {
      read = reader.read(input)
      const { fields, failure } = read
      channel = reader.findChannel(fields)
      if (failure) throw failure
      const { network } = channel
      const { identity, viewer, page } = this.#readRequest()
      const parsed = network.parse(fields, viewer)
      const { campaignId, onceKey = campaignId, ignored } = parsed
      if (ignored?.length) {
        if (configuration.strict) throw ignored[0]
        reader.warnIgnoredFields(ignored, channel)
      }
      reader.warnUnknownFields(input as object, channel)
      const impression = createImpression(
        network.name,
        identity.requestId,
        parsed,
        clock.now(),
        page,
      )
      return { channel, impression, onceKey: channel.onceKeys.get(onceKey) }
    } catch (thrown) {
      if (read) reader.warnMisspeltFields(input as object, channel)
      this.#rejectInvalid(channel, read, thrown)
      return undefined
    }
  }

  /** Counts and logs an input that cannot be sent, or throws with the option `strict`. */
  #rejectInvalid(
    channel: NetworkChannel | undefined,
    read: ReadInput | undefined,
    thrown: unknown,
  ): '' {
    const { statistics, reader, configuration } = this.#dependencies
    const error = read?.failure ?? toInvalidImpressionError(thrown)
    const page = describePage(this.#req, this.#source)
    const display = { requestId: this.requestId, ...identifyInput(read?.fields), page }
    const reason = `invalid-input: ${error.message}` as const
    statistics.concludeInvalid(channel?.network.name, { ...display, reason })
    if (configuration.strict) throw error
    reader.warnInvalid(error, channel, display)
    return ''
  }

  /** Called when this page load displays its first campaign. */
  #openCampaigns(state: ResponseState): CountedCampaigns {
    if (state === 'open')
      whenResponseEnds(this.#req, this.#res, (end) => this.#onResponseEnded(end))
    else warnIfShared(this.#res, this.#dependencies.log)
    const { configuration, dedupe, hasFleet } = this.#dependencies
    const { pageLoadCookie } = configuration
    const { identity } = this.#readRequest()
    const campaigns = dedupe.open(identity)
    if (pageLoadCookie) {
      const exchange = [this.#req, this.#res, this.#source] as const
      shareWithFragments(pageLoadCookie, hasFleet, identity, campaigns, dedupe, ...exchange)
    }
    return campaigns
  }

  #readRequest(): RequestReading<Source> {
    if (this.#reading) return this.#reading
    const { configuration, log, dedupe, inspector } = this.#dependencies
    const [req, source] = [this.#req, this.#source]
    this.#reading = {
      identity: identifyPageLoad(req, source, configuration, log, dedupe.hasCreated),
      viewer: new RequestViewer(req, source, configuration, log),
      admission: new Admission(req, source, configuration, log),
      page: (inspector ?? log.debug) && describePage(req, source),
    }
    return this.#reading
  }

  #suppressionForResponse(state: ResponseState): Suppression | undefined {
    return suppressionForResponse(this.#res, state, this.#readRequest().admission)
  }

  /** Whether the page load may have this campaign: its own, or one more. If not, it is dropped. */
  #hasRoomFor(
    { channel, impression, onceKey }: CountableImpression,
    campaigns: CountedCampaigns,
  ): boolean {
    if (!campaigns.isFull || campaigns.has(onceKey)) return true
    const message = `impressions are dropped: a page load has more than ${MAX_CAMPAIGNS} campaigns`
    this.#dependencies.log.warn('overflow campaigns', message)
    channel.conclude(impression, 'dropped', REASONS.campaignOverflow)
    return false
  }

  #hold(countable: CountableImpression, campaigns: CountedCampaigns): void {
    this.#held ??= this.#createHeld(campaigns)
    this.#held.add(countable)
  }

  #createHeld(campaigns: CountedCampaigns): HeldImpressions {
    const { openResponses, visibility } = this.#dependencies
    const isDisplayed = () => this.#res.headersSent && !this.#suppressionForResponse('finished')
    const held = new HeldImpressions(openResponses, campaigns, isDisplayed)
    if (visibility) campaigns.addListener(held)
    return held
  }

  #onResponseEnded(state: ResponseState): void {
    this.#ended = state
    this.#endedAtMs = this.#dependencies.clock.now()
    if (this.#campaigns) this.#dependencies.dedupe.forgetOpen(this.requestId, this.#campaigns)
    warnIfShared(this.#res, this.#dependencies.log)
    // A viewer who leaves is the usual end of an event stream.
    const suppression = this.#suppressionForResponse(isEventStream(this.#res) ? 'finished' : state)
    if (suppression) this.#held?.suppress(suppression)
    else this.#held?.send()
    if (!suppression) this.#visibleAds?.onDisplayed(this.#req, this.#res)
  }
}
