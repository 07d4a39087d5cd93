import type { ImpressionWatcher } from '../../counting/statistics.js'
import { toOneLine } from '../../errors.js'
import { copyText, type Impression, type Outcome, type OutcomeSubject } from '../../impression.js'
import type { Reason } from '../../reason.js'
import { type QuerySource, toShownReason } from './shown-reason.js'
import { describeFinished, describeUnfinished, type Way } from './way.js'

/** What is kept at most. The oldest is forgotten first. */
export const MAX_PAGE_LOADS = 100
export const MAX_IMPRESSIONS = 50
const MAX_TEXT_CHARACTERS = 100
/** Enough to find a page load in the log, too little to use an id that is secret. */
const MAX_ID_CHARACTERS = 8

/** One impression of a page load. All texts are copies, on one line and short. */
interface RecordedImpression {
  readonly network: string
  readonly campaignId: string | number | undefined
  readonly placement: string | undefined
  readonly offerId: string | undefined
  /** Until it has its outcome. `undefined` if its browser has yet to report it. */
  live: Impression | undefined
  finished: { readonly way: Way; readonly latencyMs: number; readonly attempts: number } | undefined
}

interface RecordedPageLoad {
  /** Distinguishes page loads whose shortened ids are the same. */
  readonly key: number
  readonly atMs: number
  readonly shortId: string
  page: string | undefined
  readonly impressions: RecordedImpression[]
  omitted: number
}

export interface PageLoadsDependencies {
  readonly now: () => number
  readonly wallNow: () => number
  readonly querySourceFor: (network: string) => QuerySource
}

/** The latest page loads, each with its latest impressions. */
export class PageLoads implements ImpressionWatcher {
  readonly #dependencies: PageLoadsDependencies
  /** By request id, the oldest first. */
  readonly #pageLoads = new Map<string, RecordedPageLoad>()
  /** So that the outcome of a page load that is forgotten does not record it again. */
  readonly #known = new WeakSet<OutcomeSubject>()
  #lastKey = 0

  constructor(dependencies: PageLoadsDependencies) {
    this.#dependencies = dependencies
  }

  /** A page has an ad that counts once its browser reports it. */
  onIssued(impression: Impression): void {
    const pageLoad = this.#open(impression)
    if (!findIssued(pageLoad, impression)) addImpression(pageLoad, impression)
  }

  onWaiting(impression: Impression): void {
    if (this.#known.has(impression)) return
    this.#known.add(impression)
    this.#record(impression).live = impression
  }

  onConcluded(subject: OutcomeSubject, outcome: Outcome, reason: Reason): void {
    const { network, requestId, attempts, trackedAtMs } = subject
    const live = this.#pageLoads.get(requestId)?.impressions.find(({ live }) => live === subject)
    if (!live && this.#known.has(subject)) return
    const querySource = this.#dependencies.querySourceFor(network)
    const shownReason = toShownReason(reason, querySource, outcome === 'invalid')
    const way = describeFinished(outcome, reason, attempts, shownReason)
    const latencyMs = Math.max(0, Math.round(this.#dependencies.now() - trackedAtMs))
    const recorded = live ?? this.#record(subject)
    recorded.finished = { way, latencyMs, attempts }
    recorded.live = undefined
  }

  /** The latest page load first. */
  list() {
    const latestFirst = [...this.#pageLoads.values()].reverse()
    return latestFirst.map(({ impressions, ...pageLoad }) => {
      return { ...pageLoad, impressions: impressions.map(describeImpression) }
    })
  }

  /** A report continues the way of the ad that its page has issued. */
  #record(subject: OutcomeSubject): RecordedImpression {
    const pageLoad = this.#open(subject)
    return findIssued(pageLoad, subject) ?? addImpression(pageLoad, subject)
  }

  #open({ requestId, page }: OutcomeSubject): RecordedPageLoad {
    const known = this.#pageLoads.get(requestId)
    if (known) {
      known.page ??= cutText(page)
      return known
    }
    this.#lastKey += 1
    const created: RecordedPageLoad = {
      key: this.#lastKey,
      atMs: this.#dependencies.wallNow(),
      shortId: shortenId(requestId),
      page: cutText(page),
      impressions: [],
      omitted: 0,
    }
    this.#pageLoads.set(requestId, created)
    const [oldest] = this.#pageLoads.keys()
    if (oldest !== undefined && this.#pageLoads.size > MAX_PAGE_LOADS)
      this.#pageLoads.delete(oldest)
    return created
  }
}

/** The id may be a cookie's value, so at least half of it is hidden. */
function shortenId(requestId: string): string {
  return cut(requestId, Math.min(MAX_ID_CHARACTERS, Math.floor(requestId.length / 2)))
}

function cut(text: string, maxCharacters = MAX_TEXT_CHARACTERS): string {
  const line = toOneLine(text)
  if (line.length <= maxCharacters) return line
  return `${copyText(line.slice(0, maxCharacters).toWellFormed())}…`
}

function cutText<Value>(value: Value): Value | string {
  return typeof value === 'string' ? cut(value) : value
}

function addImpression(pageLoad: RecordedPageLoad, subject: OutcomeSubject): RecordedImpression {
  const { network, campaignId, placement, offerId } = subject
  const recorded: RecordedImpression = {
    network,
    campaignId: cutText(campaignId),
    placement: cutText(placement),
    offerId: cutText(offerId),
    live: undefined,
    finished: undefined,
  }
  pageLoad.impressions.push(recorded)
  if (pageLoad.impressions.length > MAX_IMPRESSIONS) {
    pageLoad.impressions.shift()
    pageLoad.omitted += 1
  }
  return recorded
}

function findIssued(
  { impressions }: RecordedPageLoad,
  { network, campaignId, offerId }: OutcomeSubject,
): RecordedImpression | undefined {
  return impressions.find(
    (recorded) =>
      recorded.live === undefined &&
      recorded.finished === undefined &&
      recorded.network === network &&
      recorded.campaignId === cutText(campaignId) &&
      recorded.offerId === cutText(offerId),
  )
}

function describeImpression({ live, finished, ...display }: RecordedImpression) {
  const way = finished?.way ?? describeUnfinished(live)
  const attempts = finished?.attempts ?? live?.attempts ?? 0
  return { ...display, ...way, attempts, latencyMs: finished?.latencyMs }
}
