import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from './clock.js'
import { CountedCampaigns, type Dedupe, type ViewableListener } from './counting/dedupe.js'
import { type Statistics, UNKNOWN_NETWORK } from './counting/statistics.js'
import type { Intake, NetworkChannel } from './delivery/network-channel.js'
import { InvalidImpressionError, toInvalidImpressionError } from './errors.js'
import type { Impression, Suppression } from './impression.js'
import type { Log } from './logger.js'
import type { InputReader, ReadInput } from './networks/input-reader.js'
import type { Configuration } from './options.js'
import { Admission } from './request/admission.js'
import {
  isSharedCacheable,
  isStorable,
  markPrivateOnSend,
  suppressionForStatus,
} from './request/caching.js'
import { isNavigation } from './request/navigation.js'
import { readOriginalUrl } from './request/original-url.js'
import { setPageLoadCookie } from './request/page-load-cookie.js'
import { identifyPageLoad, type PageLoadIdentity } from './request/request-id.js'
import { onResponseEnded, type ResponseState, readResponseState } from './request/response-state.js'
import { RequestViewer } from './viewer/viewer.js'
import { findMountPath } from './visibility/mount-path.js'
import type { Routes } from './visibility/routes.js'
import { createScriptTag } from './visibility/script-tag.js'
import type { Tokens } from './visibility/token.js'

/** The tracker's parts, as a page load needs them. */
export interface PageLoadDependencies<Source> {
  readonly configuration: Configuration<Source>
  readonly reader: InputReader<NetworkChannel>
  readonly intake: Intake
  readonly books: Statistics
  /** Where the option `visibility` is set. */
  readonly visibility: { readonly tokens: Tokens; readonly routes: Routes<Source> } | undefined
  readonly dedupe: Dedupe
  readonly log: Log
  readonly clock: Clock
  /** The page loads that wait for their responses to finish. */
  readonly holding: Set<{ abandon(): void }>
}

/** An impression that waits for its response to finish. */
interface Held {
  readonly lane: NetworkChannel
  readonly impression: Impression
  readonly onceKey: string
}

/**
 * One request and what it displays. Made for every request, so that it costs next to nothing until
 * the first impression: id, viewer, listeners and the look-up in the LRU all wait for that.
 */
export class PageLoad<Source> implements ViewableListener {
  readonly #parts: PageLoadDependencies<Source>
  readonly #req: IncomingMessage
  readonly #res: ServerResponse
  readonly #source: Source
  #identity: PageLoadIdentity | undefined
  #viewer: RequestViewer<Source> | undefined
  #counted: CountedCampaigns | undefined
  #admission: Admission<Source> | undefined
  #held: Held[] | undefined
  /** How the response ended, if it displayed something before that. */
  #ended: ResponseState | undefined
  /** What the middleware was given to route by: routers behind it cut more off. */
  readonly #url: string

  constructor(
    parts: PageLoadDependencies<Source>,
    req: IncomingMessage,
    res: ServerResponse,
    source: Source,
  ) {
    this.#parts = parts
    this.#req = req
    this.#res = res
    this.#source = source
    this.#url = req.url ?? '/'
  }

  get requestId(): string {
    return this.#identify().requestId
  }

  /** Parse, admit, once, leave: DESIGN's four steps, each with its outcome. */
  track(input: unknown): '' {
    const valid = this.#parse(input)
    if (!valid) return ''
    const { lane, impression, onceKey } = valid
    const { intake } = this.#parts
    const state = this.#ended ?? readResponseState(this.#req, this.#res)
    const suppression = this.#admit().suppressionWhenRendered ?? this.#fate(state)
    if (suppression) {
      intake.end(lane, impression, 'suppressed', suppression)
      return ''
    }
    this.#counted ??= this.#openCounted(state)
    if (!intake.admit(lane, impression, onceKey, this.#counted)) return ''
    if (lane.network.flush === 'finish' && state === 'open') this.#hold(valid)
    else lane.delivery.push(impression)
    return ''
  }

  /**
   * Parse and admit; the browser says when the rest follows. Once the ad is seen its page is
   * displayed, whatever was prefetched, and whatever its status.
   */
  whenVisible(input: unknown): string {
    const { visibility, intake, dedupe } = this.#parts
    if (!visibility) return this.#refuse(undefined, undefined, visibilityIsOff('whenVisible()'))
    const valid = this.#parse(input)
    if (!valid) return ''
    const { lane, impression, onceKey } = valid
    const refusal = this.#admit().suppressionWhenSeen
    if (refusal) {
      intake.end(lane, impression, 'suppressed', refusal)
      return ''
    }
    this.#counted ??= this.#openCounted(readResponseState(this.#req, this.#res))
    this.#counted.pageLoadNonce ??= visibility.tokens.createPageLoadNonce()
    let token: string
    try {
      token = visibility.tokens.issue(impression, onceKey, this.#counted.pageLoadNonce)
    } catch (thrown) {
      return this.#refuse(lane, undefined, thrown)
    }
    // A token is one viewer's own: copies of the page would all report the same.
    if (!this.#res.headersSent) markPrivateOnSend(this.#res)
    else if (isStorable(this.#res)) this.#warnOfCopies()
    dedupe.remember(this.requestId, this.#counted)
    // Without quotes and spaces: nothing in it is escaped where templates escape.
    return `data-ad-impression=${token}`
  }

  /** The tag that loads the browser's half. */
  script(nonce: unknown): string {
    const { visibility, log } = this.#parts
    if (!visibility) {
      log.error('visibility off', visibilityIsOff('script()').message)
      return ''
    }
    const mountPath = findMountPath(readOriginalUrl(this.#req, this.#source), this.#url)
    return createScriptTag(visibility.routes.scriptUrl(mountPath), nonce, log)
  }

  /** What the input says, ready to be counted; `undefined` if it is invalid, which is then told. */
  #parse(input: unknown): Held | undefined {
    const { reader, clock } = this.#parts
    let read: ReadInput | undefined
    let lane: NetworkChannel | undefined
    try {
      read = reader.read(input)
      const { fields, failure } = read
      lane = reader.findChannel(fields)
      if (failure) throw failure
      this.#viewer ??= this.#readViewer()
      const { campaignId, onceKey, batchKey, item } = lane.network.parse(fields, this.#viewer)
      reader.warnUnknownFields(input as object, lane)
      const impression: Impression = {
        network: lane.network.name,
        requestId: this.requestId,
        campaignId,
        batchKey: batchKey ?? '',
        item,
        trackedAtMs: clock.now(),
        attempts: 0,
        sequence: 0,
      }
      return { lane, impression, onceKey: lane.onceKeys.get(onceKey ?? campaignId) }
    } catch (thrown) {
      this.#refuse(lane, read, thrown)
      return undefined
    }
  }

  /** An input that cannot be sent: counted, said, and thrown if the user wants that. */
  #refuse(lane: NetworkChannel | undefined, read: ReadInput | undefined, thrown: unknown): '' {
    const { intake, log, configuration } = this.#parts
    const error = read?.failure ?? toInvalidImpressionError(thrown)
    const { requestId } = this
    intake.refuse(lane, {
      requestId,
      campaignId: usableId(read?.fields.campaignId),
      reason: error.message,
    })
    if (configuration.strict) throw error
    const network = lane?.network.name ?? UNKNOWN_NETWORK
    const kind = `invalid ${network} ${error.field} ${error.given}: ${error.expected}`
    const whose = lane ? ` for ${network}` : ''
    log.warn(kind, `invalid impression${whose}: ${error.message}`, {
      network,
      field: error.field,
      requestId,
    })
    return ''
  }

  #readViewer(): RequestViewer<Source> {
    const { configuration, log } = this.#parts
    return new RequestViewer(this.#req, this.#source, configuration, log)
  }

  /** What this page load has counted; asked for when it displays its first campaign. */
  #openCounted(state: ResponseState): CountedCampaigns {
    if (state === 'open') onResponseEnded(this.#req, this.#res, (end) => this.#leave(end))
    else this.#warnIfShared()
    const { configuration, dedupe } = this.#parts
    const { requestId, canRecur } = this.#identify()
    // An id that no later request can bear is remembered here only, and forgotten with the page.
    const counted = canRecur ? dedupe.open(requestId) : new CountedCampaigns()
    const cookie = configuration.pageLoadCookie
    if (cookie !== undefined && isNavigation(this.#req)) {
      // The cookie's id is always a random one, whatever names the page load: it cannot be guessed.
      const id = canRecur ? randomUUID() : requestId
      if (setPageLoadCookie(cookie, id, this.#req, this.#res, this.#source)) {
        dedupe.remember(id, counted)
      }
    }
    return counted
  }

  #identify(): PageLoadIdentity {
    const { configuration, log } = this.#parts
    this.#identity ??= identifyPageLoad(this.#req, this.#source, configuration, log)
    return this.#identity
  }

  #admit(): Admission<Source> {
    const { configuration, log } = this.#parts
    this.#admission ??= new Admission(this.#req, this.#source, configuration, log)
    return this.#admission
  }

  /** Why the response as it stands displays nothing; `undefined` if it does, or still may. */
  #fate(state: ResponseState): Suppression | undefined {
    return state === 'broken' ? 'aborted' : suppressionForStatus(this.#res.statusCode)
  }

  #warnIfShared(): void {
    if (isSharedCacheable(this.#res)) this.#warnOfCopies()
  }

  #warnOfCopies(): void {
    this.#parts.log.warn(
      'shared response',
      'a page with impressions allows shared caches to keep it (Cache-Control: public, ' +
        's-maxage or max-age): displays of their copies are never counted',
    )
  }

  #hold(held: Held): void {
    held.lane.account.held += 1
    if (this.#held) {
      this.#held.push(held)
      return
    }
    this.#held = [held]
    this.#parts.holding.add(this)
    if (this.#parts.visibility) this.#counted?.addListener(this)
  }

  onViewable(onceKey: string): void {
    const held = this.#held?.find((one) => one.onceKey === onceKey)
    if (!held) return
    this.#held = this.#held?.filter((one) => one !== held)
    held.lane.account.held -= 1
    held.lane.delivery.push(held.impression)
  }

  /** The tracker has closed, and no longer waits for the response. */
  abandon(): void {
    for (const { lane, impression } of this.#takeHeld()) {
      lane.account.held -= 1
      this.#parts.books.conclude(lane.account, impression, 'dropped', 'closed')
    }
  }

  #takeHeld(): readonly Held[] {
    const held = this.#held ?? []
    this.#held = undefined
    this.#parts.holding.delete(this)
    this.#counted?.removeListener(this)
    return held
  }

  /** The response has ended: what it held leaves for its networks, or was no display after all. */
  #leave(state: ResponseState): void {
    this.#ended = state
    this.#warnIfShared()
    const suppression = this.#fate(state)
    for (const { lane, impression, onceKey } of this.#takeHeld()) {
      lane.account.held -= 1
      if (suppression) {
        // So that a retry of the same page load still counts.
        this.#counted?.delete(onceKey)
        this.#parts.books.conclude(lane.account, impression, 'suppressed', suppression)
      } else {
        lane.delivery.push(impression)
      }
    }
  }
}

/** An invalid input's campaign id, where it is short enough to be told on. */
function usableId(value: unknown): string | number | undefined {
  if (typeof value === 'number') return value
  return typeof value === 'string' && value.length <= 64 ? value : undefined
}

function visibilityIsOff(method: string): InvalidImpressionError {
  return new InvalidImpressionError(
    method,
    'the option visibility: { secret } to be set',
    undefined,
  )
}
