import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Account, type Books, UNKNOWN_NETWORK } from './books.js'
import type { Clock } from './clock.js'
import type { Counted, Dedupe } from './dedupe.js'
import type { Delivery } from './delivery/delivery.js'
import { InvalidImpressionError, messageOf } from './errors.js'
import type { Impression, Outcome, Suppression } from './impression.js'
import type { Log } from './logger.js'
import type { InputReader, ReadInput } from './networks/input-reader.js'
import type { Network } from './networks/network.js'
import type { Configuration } from './options.js'
import { fateByStatus, isShared } from './response.js'
import { type ResponseState, stateOf, whenEnded } from './response-state.js'
import { refusalOf } from './viewer/admission.js'
import { type Identity, identify } from './viewer/identity.js'
import { isNavigation } from './viewer/navigation.js'
import { leavePageLoadCookie } from './viewer/page-load-cookie.js'
import { type Viewer, viewerOf } from './viewer/viewer.js'

/** A network with what it takes to tell it. */
export interface Lane {
  readonly network: Network
  readonly account: Account
  readonly delivery: Delivery
}

/** The tracker's parts, as a page load needs them. */
export interface Parts<Source> {
  readonly configuration: Configuration<Source>
  readonly reader: InputReader<Lane>
  readonly books: Books
  readonly dedupe: Dedupe
  readonly log: Log
  readonly clock: Clock
  /** The page loads that wait for their responses to finish. */
  readonly holding: Set<{ abandon(): void }>
  /** Whether the tracker takes no more impressions. */
  isClosed(): boolean
}

/** An impression that waits for its response to finish. */
interface Held {
  readonly lane: Lane
  readonly impression: Impression
  readonly onceKey: string
}

/**
 * One request and what it displays. Made for every request, so that it costs next to nothing until
 * the first impression: id, viewer, listeners and the look-up in the LRU all wait for that.
 */
export class PageLoad<Source> {
  readonly #parts: Parts<Source>
  readonly #req: IncomingMessage
  readonly #res: ServerResponse
  readonly #source: Source
  #identity: Identity | undefined
  #viewer: Viewer | undefined
  #counted: Counted | undefined
  #refusal: Suppression | 'none' | undefined
  #held: Held[] | undefined
  /** How the response ended, if it displayed something before that. */
  #ended: ResponseState | undefined

  constructor(parts: Parts<Source>, req: IncomingMessage, res: ServerResponse, source: Source) {
    this.#parts = parts
    this.#req = req
    this.#res = res
    this.#source = source
  }

  get requestId(): string {
    return this.#identify().requestId
  }

  /** Parse, admit, once, leave: DESIGN's four steps, each with its outcome. */
  track(input: unknown): '' {
    const { reader, clock } = this.#parts
    let read: ReadInput | undefined
    let lane: Lane | undefined
    let parsed: ReturnType<Network['parse']>
    try {
      read = reader.read(input)
      const { fields, failure } = read
      lane = reader.laneOf(fields)
      if (failure) throw failure
      this.#viewer ??= this.#readViewer()
      parsed = lane.network.parse(fields, this.#viewer)
      reader.tellStrays(input as object, lane)
    } catch (thrown) {
      return this.#refuse(lane, read, thrown)
    }

    const { network, account, delivery } = lane
    const impression: Impression = {
      network: network.name,
      requestId: this.requestId,
      campaignId: parsed.campaignId,
      batchKey: parsed.batchKey ?? '',
      item: parsed.item,
      trackedAtMs: clock.now(),
      attempts: 0,
      sequence: 0,
    }

    const state = this.#ended ?? stateOf(this.#req, this.#res)
    const suppression = this.#whyNoDisplay(state)
    if (suppression) return this.#conclude(lane, impression, 'suppressed', suppression)
    if (this.#parts.isClosed()) {
      const why = `${network.name}: impression dropped: tracked after close()`
      this.#parts.log.warn(`dropped closed ${network.name}`, why)
      return this.#conclude(lane, impression, 'dropped', 'closed')
    }
    this.#counted ??= this.#openCounted(state)
    const onceKey = `${network.name}:${parsed.onceKey ?? parsed.campaignId}`
    if (this.#counted.has(onceKey)) {
      const reason = `campaign ${impression.campaignId} has counted in this page load`
      return this.#conclude(lane, impression, 'duplicate', reason)
    }
    this.#counted.add(onceKey)

    account.tracked += 1
    if (network.flush === 'finish' && state === 'open') {
      this.#hold({ lane, impression, onceKey })
    } else {
      delivery.push(impression)
    }
    return ''
  }

  /**
   * An impression that goes no further. Like every other, it is tracked only once the user's
   * functions and logger have run: whatever they ask `stats()`, the books balance.
   */
  #conclude({ account }: Lane, impression: Impression, outcome: Outcome, reason: string): '' {
    account.tracked += 1
    this.#parts.books.conclude(account, impression, outcome, reason)
    return ''
  }

  /** An input that cannot be sent: counted, said, and thrown if the user wants that. */
  #refuse(lane: Lane | undefined, read: ReadInput | undefined, thrown: unknown): '' {
    const { books, log, clock, configuration } = this.#parts
    const network = lane?.network.name ?? UNKNOWN_NETWORK
    const account = lane?.account ?? books.account(UNKNOWN_NETWORK)
    const error = read?.failure ?? asInvalid(thrown)
    const subject = {
      network,
      requestId: this.requestId,
      campaignId: usableId(read?.fields.campaignId),
      trackedAtMs: clock.now(),
      attempts: 0,
    }
    account.tracked += 1
    books.conclude(account, subject, 'invalid', error.message)
    if (configuration.strict) throw error
    const kind = `invalid ${network} ${error.field} ${error.given}: ${error.expected}`
    const whose = lane ? ` for ${network}` : ''
    log.warn(kind, `invalid impression${whose}: ${error.message}`, {
      network,
      field: error.field,
      requestId: this.requestId,
    })
    return ''
  }

  #readViewer(): Viewer {
    const { configuration, log } = this.#parts
    return viewerOf(this.#req, this.#source, configuration, log)
  }

  /** What this page load has counted; asked for when it displays its first campaign. */
  #openCounted(state: ResponseState): Counted {
    if (state === 'open') whenEnded(this.#req, this.#res, (end) => this.#leave(end))
    else this.#warnIfShared()
    const { configuration, dedupe } = this.#parts
    const { requestId, canRecur } = this.#identify()
    // An id that no later request can bear is remembered here only, and forgotten with the page.
    const counted: Counted = canRecur ? dedupe.counted(requestId) : new Set()
    const cookie = configuration.pageLoadCookie
    if (cookie !== undefined && isNavigation(this.#req)) {
      // The cookie's id is always a random one, whatever names the page load: it cannot be guessed.
      const id = canRecur ? randomUUID() : requestId
      if (leavePageLoadCookie(cookie, id, this.#req, this.#res, this.#source)) {
        dedupe.alias(id, counted)
      }
    }
    return counted
  }

  #identify(): Identity {
    const { configuration, log } = this.#parts
    this.#identity ??= identify(this.#req, this.#source, configuration, log)
    return this.#identity
  }

  /** Why what is tracked now is not a display, as far as it can be told now. */
  #whyNoDisplay(state: ResponseState): Suppression | undefined {
    const { configuration, log } = this.#parts
    this.#refusal ??= refusalOf(this.#req, this.#source, configuration, log) ?? 'none'
    return this.#refusal === 'none' ? this.#fate(state) : this.#refusal
  }

  /** Why the response as it stands displays nothing; `undefined` if it does, or still may. */
  #fate(state: ResponseState): Suppression | undefined {
    return state === 'broken' ? 'aborted' : fateByStatus(this.#res.statusCode)
  }

  #warnIfShared(): void {
    if (!isShared(this.#res)) return
    this.#parts.log.warn(
      'shared response',
      'a page with impressions allows shared caches to keep it (Cache-Control: public or ' +
        's-maxage): displays of their copies are never counted',
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

/** What a network's `parse` threw, which may be anything, even a proxy that throws when it is asked. */
function asInvalid(thrown: unknown): InvalidImpressionError {
  try {
    if (thrown instanceof InvalidImpressionError) {
      // Each is read here, where it may throw.
      const { message, field, given, expected } = thrown
      if ([message, field, given, expected].every((part) => typeof part === 'string')) return thrown
    }
  } catch {
    // Then it is not one.
  }
  return new InvalidImpressionError('input', `one that can be read (${messageOf(thrown)})`, {})
}

/** An invalid input's campaign id, where it is short enough to be told on. */
function usableId(value: unknown): string | number | undefined {
  if (typeof value === 'number') return value
  return typeof value === 'string' && value.length <= 64 ? value : undefined
}
