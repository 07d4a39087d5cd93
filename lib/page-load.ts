import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from './clock.js'
import { type CountedCampaigns, type Dedupe, MAX_CAMPAIGNS } from './counting/dedupe.js'
import type { Statistics } from './counting/statistics.js'
import type { UsedTokens } from './counting/used-tokens.js'
import type { NetworkChannel } from './delivery/network-channel.js'
import { toInvalidImpressionError } from './errors.js'
import {
  type CountableImpression,
  HeldImpressions,
  type OpenResponses,
} from './held-impressions.js'
import { createImpression, type PageLoadIdentity, type Suppression } from './impression.js'
import type { Log } from './logger.js'
import { type InputReader, identifyInput, type ReadInput } from './networks/input-reader.js'
import type { Configuration } from './options.js'
import { Admission } from './request/admission.js'
import { preventCopies, warnIfShared } from './request/caching.js'
import { isNavigation } from './request/navigation.js'
import { readOriginalUrl } from './request/original-url.js'
import { setPageLoadCookie } from './request/page-load-cookie.js'
import { identifyPageLoad } from './request/request-id.js'
import { isEventStream } from './request/response-header.js'
import {
  type ResponseState,
  readResponseState,
  whenResponseEnds,
} from './request/response-state.js'
import { suppressionForResponse } from './request/suppression-for-response.js'
import { RequestViewer } from './viewer/viewer.js'
import { findMountPath } from './visibility/mount-path.js'
import { createVisibilityOffError } from './visibility/options.js'
import type { Routes } from './visibility/routes.js'
import { createScriptTag } from './visibility/script-tag.js'
import type { Tokens } from './visibility/token.js'

/** What the option `visibility` enables. */
interface VisibilityParts<Source> {
  readonly tokens: Tokens
  readonly usedTokens: UsedTokens
  readonly routes: Routes<Source>
}

/** The tracker's parts, as a page load needs them. */
export interface PageLoadDependencies<Source> {
  readonly configuration: Configuration<Source>
  readonly reader: InputReader<NetworkChannel>
  readonly statistics: Statistics
  /** `undefined` without the option `visibility`. */
  readonly visibility: VisibilityParts<Source> | undefined
  readonly dedupe: Dedupe
  readonly log: Log
  readonly clock: Clock
  readonly openResponses: OpenResponses
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
  #identity: PageLoadIdentity | undefined
  #viewer: RequestViewer<Source> | undefined
  #campaigns: CountedCampaigns | undefined
  #admission: Admission<Source> | undefined
  #held: HeldImpressions | undefined
  /** How the response ended, if it displayed something before that. */
  #ended: ResponseState | undefined
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
    return this.#getIdentity().requestId
  }

  /** Parses, admits, dedupes and sends an impression. Each step may be its last, with an outcome. */
  track(input: unknown): '' {
    const countable = this.#parse(input)
    if (!countable) return ''
    const { channel, impression, onceKey } = countable
    const state = this.#ended ?? readResponseState(this.#req, this.#res)
    const suppression =
      this.#getAdmission().suppressionWhenRendered ?? this.#suppressionForResponse(state)
    if (suppression) {
      channel.conclude(impression, 'suppressed', suppression)
      return ''
    }
    this.#campaigns ??= this.#openCampaigns(state)
    if (!this.#hasRoomFor(onceKey, this.#campaigns)) {
      channel.conclude(impression, 'dropped', 'overflow')
      return ''
    }
    if (!channel.admit(impression)) return ''
    const waitsForEnd = channel.network.flush === 'finish' || this.#getAdmission().isSubresource
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
    const { visibility, dedupe } = this.#dependencies
    if (!visibility)
      return this.#rejectInvalid(undefined, undefined, createVisibilityOffError('whenVisible()'))
    const countable = this.#parse(input)
    if (!countable) return ''
    const { channel, impression, onceKey } = countable
    const suppression = this.#getAdmission().suppressionWhenSeen
    if (suppression) {
      channel.conclude(impression, 'suppressed', suppression)
      return ''
    }
    const state = readResponseState(this.#req, this.#res)
    this.#campaigns ??= this.#openCampaigns(state)
    if (!this.#hasRoomFor(onceKey, this.#campaigns) || !visibility.usedTokens.hasRoom()) {
      channel.conclude(impression, 'dropped', 'overflow')
      return ''
    }
    try {
      const token = visibility.tokens.issue(impression, onceKey, this.#campaigns.id)
      this.#campaigns.issue(onceKey, visibility.usedTokens)
      if (state === 'open') dedupe.keepOpen(this.requestId, this.#campaigns)
      preventCopies(this.#res, this.#dependencies.log)
      // No quotes and no spaces, so that template languages escape nothing in it.
      return `data-ad-impression=${token}`
    } catch (thrown) {
      return this.#rejectInvalid(channel, undefined, thrown)
    }
  }

  /** The tag that loads the client script. */
  script(nonce: unknown): string {
    const { visibility, log } = this.#dependencies
    if (!visibility) {
      log.error('visibility off', createVisibilityOffError('script()').message)
      return ''
    }
    const mountPath = findMountPath(readOriginalUrl(this.#req, this.#source), this.#url)
    return createScriptTag(visibility.routes.scriptUrl(mountPath), nonce, log)
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
      const parsed = network.parse(fields, this.#getViewer())
      const { campaignId, onceKey = campaignId, ignored } = parsed
      if (ignored?.length) {
        if (configuration.strict) throw ignored[0]
        reader.warnIgnoredFields(ignored, channel)
      }
      reader.warnUnknownFields(input as object, channel)
      const impression = createImpression(network.name, this.requestId, parsed, clock.now())
      return { channel, impression, onceKey: channel.onceKeys.get(onceKey) }
    } catch (thrown) {
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
    const { requestId } = this
    statistics.concludeInvalid(channel?.network.name, {
      requestId,
      ...identifyInput(read?.fields),
      reason: error.message,
    })
    if (configuration.strict) throw error
    reader.warnInvalid(error, channel, requestId)
    return ''
  }

  /** Called when this page load displays its first campaign. */
  #openCampaigns(state: ResponseState): CountedCampaigns {
    if (state === 'open')
      whenResponseEnds(this.#req, this.#res, (end) => this.#onResponseEnded(end))
    else warnIfShared(this.#res, this.#dependencies.log)
    const campaigns = this.#dependencies.dedupe.open(this.#getIdentity())
    this.#shareWithFragments(campaigns)
    return campaigns
  }

  /** Sets the page-load cookie, by which the page's fragments find what it has counted. */
  #shareWithFragments(campaigns: CountedCampaigns): void {
    const { configuration, dedupe } = this.#dependencies
    const { pageLoadCookie } = configuration
    if (pageLoadCookie === undefined || !isNavigation(this.#req)) return
    const { requestId, canRecur } = this.#getIdentity()
    // Always random, so that it cannot be guessed, whatever the option `requestId` returns.
    const id = canRecur ? randomUUID() : requestId
    const isSet = setPageLoadCookie(
      pageLoadCookie,
      id,
      this.#req,
      this.#res,
      this.#source,
      dedupe.hasCreated,
    )
    if (isSet) dedupe.remember(id, campaigns)
  }

  #getIdentity(): PageLoadIdentity {
    const { configuration, log, dedupe } = this.#dependencies
    this.#identity ??= identifyPageLoad(
      this.#req,
      this.#source,
      configuration,
      log,
      dedupe.hasCreated,
    )
    return this.#identity
  }

  #getViewer(): RequestViewer<Source> {
    const { configuration, log } = this.#dependencies
    this.#viewer ??= new RequestViewer(this.#req, this.#source, configuration, log)
    return this.#viewer
  }

  #getAdmission(): Admission<Source> {
    const { configuration, log } = this.#dependencies
    this.#admission ??= new Admission(this.#req, this.#source, configuration, log)
    return this.#admission
  }

  #suppressionForResponse(state: ResponseState): Suppression | undefined {
    return suppressionForResponse(this.#res, state, this.#getAdmission())
  }

  /** Whether the page load may have this campaign: its own, or one more. */
  #hasRoomFor(onceKey: string, campaigns: CountedCampaigns): boolean {
    if (!campaigns.isFull || campaigns.has(onceKey)) return true
    const message = `impressions are dropped: a page load has more than ${MAX_CAMPAIGNS} campaigns`
    this.#dependencies.log.warn('campaign overflow', message)
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
    if (this.#campaigns) this.#dependencies.dedupe.forgetOpen(this.requestId, this.#campaigns)
    warnIfShared(this.#res, this.#dependencies.log)
    // A viewer who leaves is the usual end of an event stream.
    const suppression = this.#suppressionForResponse(isEventStream(this.#res) ? 'finished' : state)
    if (suppression) this.#held?.suppress(suppression)
    else this.#held?.send()
  }
}
