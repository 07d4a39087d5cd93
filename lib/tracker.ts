import type { IncomingMessage, ServerResponse } from 'node:http'
import { z } from 'zod'
import { checkOptions, wholeNumber } from './check-options.js'
import { type Clock, systemClock, waitAtMost } from './clock.js'
import { createDedupe, OnceKeys } from './counting/dedupe.js'
import { warnAtExit } from './counting/exit-warning.js'
import { type OutcomeListener, Statistics, type Stats } from './counting/statistics.js'
import { createTransport } from './delivery/call/transport.js'
import { Delivery } from './delivery/delivery.js'
import { Intake, type NetworkChannel } from './delivery/network-channel.js'
import { ConfigurationError, describeError } from './errors.js'
import { createLog, type Log } from './logger.js'
import { InputReader } from './networks/input-reader.js'
import { resolveOptions, type TrackerOptions } from './options.js'
import { PageLoad, type PageLoadDependencies } from './page-load.js'
import { readOriginalUrl } from './request/original-url.js'
import { createTrackImpression, type TrackImpression } from './track-impression.js'
import { ClientScript } from './visibility/client-script.js'
import type { Reply } from './visibility/reply.js'
import { Routes } from './visibility/routes.js'
import { Tokens } from './visibility/token.js'
import { VisibleReports } from './visibility/visible-reports.js'

/** What the tracker can be asked; it sits on the middleware as well. */
export interface TrackerMethods {
  /** Figures by network name, and under `unknown` the invalid inputs whose network cannot be told. */
  stats(): Stats
  /**
   * Resolves when all that is pending at the call has an outcome, as before a serverless function
   * freezes. Call it after the response has finished.
   */
  flush(): Promise<void>
  /**
   * Takes no more impressions, delivers what is pending for at most `timeoutMs` milliseconds
   * (default 10,000), and counts the rest as `dropped: closed`. Calling it again returns the same
   * promise. A wrong `timeoutMs` is told in the log, and the default is taken.
   */
  close(options?: { timeoutMs?: number }): Promise<void>
  /**
   * Tells of each outcome as it is decided.
   *
   * @returns a function that stops it
   */
  on(event: 'outcome', listener: OutcomeListener): () => void
  [Symbol.asyncDispose](): Promise<void>
}

/** The application-wide object that owns networks, dedupe and delivery. */
export interface Tracker extends TrackerMethods {
  /** The helper for one request: the same for the same response, however often it is asked for. */
  pageLoad(req: IncomingMessage, res: ServerResponse): TrackImpression
  /**
   * What to answer to a request for the browser's half, or to one of its reports: below
   * `visibility.path`. The middleware of Express and Koa does it by itself.
   *
   * @param body what a body parser has made of the request's body already, if one has
   * @returns `undefined` for any other request
   */
  reply(req: IncomingMessage, body?: unknown): Promise<Reply> | undefined
}

/** A tracker whose options' functions are given what the framework calls a request. */
export interface FrameworkTracker<Source> {
  readonly methods: TrackerMethods
  pageLoad(req: IncomingMessage, res: ServerResponse, source: Source): TrackImpression
  reply(req: IncomingMessage, source: Source, body: unknown): Promise<Reply> | undefined
}

/** `impressions()` takes the tracker's options, or a tracker that several apps share. */
export type ImpressionsOptions<Source> = TrackerOptions<Source> | { tracker: Tracker }

/** What a test or a simulation may put in the place of the machine's own. */
export interface TestOverrides {
  readonly clock?: Clock
  readonly random?: () => number
}

const CLOSE_TIMEOUT_MS = 10_000

const closeSchema = z.strictObject({ timeoutMs: wholeNumber(0).optional() })

/**
 * Makes a tracker for any server on `node:http`, or to be shared by several apps.
 *
 * @throws {ConfigurationError} naming all that is wrong with the options
 */
export function createTracker(options: TrackerOptions = {}): Tracker {
  const { methods, pageLoad, reply } = assembleTracker(options, {}, 'createTracker()')
  return {
    ...methods,
    pageLoad: (req, res) => pageLoad(req, res, req),
    reply: (req, body) => reply(req, req, body),
  }
}

/**
 * The tracker behind a framework's middleware: the one given, or a new one.
 *
 * @throws {ConfigurationError} naming all that is wrong with the options
 */
export function resolveTracker<Source>(
  options: ImpressionsOptions<Source>,
): FrameworkTracker<Source> {
  if (!isShared(options)) return assembleTracker(options)
  const { tracker, ...others } = options
  const [other] = Object.keys(others)
  if (other !== undefined || typeof tracker?.pageLoad !== 'function') {
    throw new ConfigurationError(
      'invalid-options',
      other === undefined
        ? 'impressions(): tracker: expected what createTracker() returns'
        : `impressions(): ${other}: expected nothing beside tracker; give it to createTracker()`,
    )
  }
  return {
    methods: tracker,
    // Where Koa has cut a mount path off the URL, only its context knows the whole.
    pageLoad: (req, res, source) =>
      tracker.pageLoad(Object.assign(req, { originalUrl: readOriginalUrl(req, source) }), res),
    // Who wraps a tracker may have left it out.
    reply: (req, _source, body) => tracker.reply?.(req, body),
  }
}

/** What is no object at all is left to `resolveOptions`, which says so. */
function isShared(options: ImpressionsOptions<never>): options is { tracker: Tracker } {
  return typeof options === 'object' && options !== null && 'tracker' in options
}

/** The tracker's methods by themselves, to sit on a middleware. */
export function pickMethods(tracker: TrackerMethods): TrackerMethods {
  const { stats, flush, close, on } = tracker
  return { stats, flush, close, on, [Symbol.asyncDispose]: () => close() }
}

/** At the end of a process nothing shall be lost to a wrong option: it is told, and the default holds. */
function readCloseTimeout(limits: unknown, log: Log): number {
  try {
    return checkOptions('close()', closeSchema, limits).timeoutMs ?? CLOSE_TIMEOUT_MS
  } catch (thrown) {
    log.error('option close', `${describeError(thrown)}; ${CLOSE_TIMEOUT_MS} ms are taken instead`)
    return CLOSE_TIMEOUT_MS
  }
}

/** Wires the parts: the one place where that is done. */
export function assembleTracker<Source>(
  options: TrackerOptions<Source>,
  { clock = systemClock, random = Math.random }: TestOverrides = {},
  subject = 'impressions()',
): FrameworkTracker<Source> {
  const configuration = resolveOptions(options, subject)
  const log = createLog(configuration.logger, clock)
  const books = new Statistics(configuration.networks, clock, log)
  const { maxPending, timeoutMs, maxAgeMs } = configuration.delivery
  const lanes = configuration.networks.map((network): NetworkChannel => {
    const account = books.account(network.name)
    const delivery = new Delivery({
      network,
      account,
      books,
      outbox: configuration.outbox({
        network: network.name,
        maxPending,
        maxBatch: network.maxBatch,
      }),
      transport: createTransport(network, timeoutMs, clock),
      maxPending,
      maxAgeMs,
      clock,
      random,
      log,
    })
    return { network, account, onceKeys: new OnceKeys(network.name), delivery }
  })
  let closing: Promise<void> | undefined
  const dedupe = createDedupe(configuration.dedupe, clock.now)
  const intake = new Intake(books, clock, log, () => closing !== undefined)
  const parts: PageLoadDependencies<Source> = {
    configuration,
    reader: new InputReader(lanes, log),
    intake,
    books,
    visibility: assembleVisibility(),
    dedupe,
    log,
    clock,
    holding: new Set(),
  }
  /** Where a response keeps its page load's helper. */
  const helper = Symbol('ad-impressions')

  function assembleVisibility(): PageLoadDependencies<Source>['visibility'] {
    const { visibility } = configuration
    if (!visibility) return undefined
    const { secrets, tokenTtlMs, path } = visibility
    const tokens = new Tokens({ secrets, ttlMs: tokenTtlMs, now: clock.now })
    const reports = new VisibleReports({
      tokens,
      channels: lanes,
      intake,
      dedupe,
      admission: configuration,
      clock,
      log,
    })
    return { tokens, routes: new Routes(path, new ClientScript(), reports) }
  }

  const forgetNotice = warnAtExit(() => books.stats())

  async function drainAndClose(timeLimitMs: number): Promise<void> {
    for (const { delivery } of lanes) delivery.suspendPacing()
    await waitAtMost(clock, timeLimitMs, books.whenIdle())
    for (const pageLoad of parts.holding) pageLoad.abandon()
    await Promise.all(lanes.map(({ delivery }) => delivery.close()))
    // An outbox that does not answer may leave some without an outcome.
    void books.whenIdle().then(forgetNotice)
  }

  const methods: TrackerMethods = {
    stats: () => books.stats(),
    async flush() {
      // Asked on the response's own 'finish', it goes on once our listener has run as well.
      await new Promise<void>((resolve) => clock.defer(resolve))
      const calm = lanes.map(({ delivery }) => delivery.suspendPacing())
      await Promise.all(lanes.map(({ delivery }) => delivery.flush()))
      for (const calmDown of calm) calmDown()
    },
    close(limits = {}) {
      closing ??= drainAndClose(readCloseTimeout(limits, log))
      return closing
    },
    on: (event, listener) => books.on(event, listener),
    [Symbol.asyncDispose]: () => methods.close(),
  }

  return {
    methods,
    pageLoad(req, res: ServerResponse & { [helper]?: TrackImpression }, source) {
      const known = res[helper]
      if (known) return known
      const made = createTrackImpression(new PageLoad(parts, req, res, source))
      res[helper] = made
      return made
    },
    reply: (req, source, body) => parts.visibility?.routes.reply(req, source, body),
  }
}
