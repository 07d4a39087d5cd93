import type { IncomingMessage, ServerResponse } from 'node:http'
import { z } from 'zod'
import { checkOptions, wholeNumber } from './check-options.js'
import { type Clock, systemClock, waitAtMost } from './clock.js'
import { Dedupe } from './counting/dedupe.js'
import { warnAtExit } from './counting/exit-warning.js'
import type { OutcomeListener } from './counting/outcome-events.js'
import { Statistics, type Stats } from './counting/statistics.js'
import { UsedTokens } from './counting/used-tokens.js'
import { createTransport } from './delivery/call/transport.js'
import { Delivery } from './delivery/delivery.js'
import { NetworkChannel } from './delivery/network-channel.js'
import { ConfigurationError, describeError } from './errors.js'
import { OpenResponses } from './held-impressions.js'
import { createLog, type Log } from './logger.js'
import { builtInNetworks } from './networks/built-in-networks.js'
import { InputReader } from './networks/input-reader.js'
import type { Network } from './networks/network.js'
import { type Configuration, resolveOptions, type TrackerOptions } from './options.js'
import { PageLoad, type PageLoadDependencies } from './page-load.js'
import { readOriginalUrl } from './request/original-url.js'
import { identifyPageLoad } from './request/request-id.js'
import {
  createDisabledTrackImpression,
  createTrackImpression,
  type TrackImpression,
} from './track-impression.js'
import { ClientScript } from './visibility/client-script.js'
import type { Reply } from './visibility/reply.js'
import { Routes } from './visibility/routes.js'
import { Tokens } from './visibility/token.js'
import { VisibleReports } from './visibility/visible-reports.js'

export interface TimeoutOptions {
  /**
   * How long it may take, in milliseconds. An invalid value is logged, and the default is used.
   *
   * @default 10_000
   */
  timeoutMs?: number | undefined
}

/** The tracker's methods. They are on the middleware as well. */
export interface TrackerMethods {
  /** Figures by network name. `unknown` counts invalid inputs whose network is not known. */
  stats(): Stats
  /**
   * Sends what is pending as fast as the quotas allow, for example before a serverless function
   * freezes. Call it after the response has finished. What has no outcome by then stays pending.
   *
   * @returns `true` when everything pending at the call has an outcome, `false` when the time has
   *   run out
   */
  flush(options?: TimeoutOptions): Promise<boolean>
  /**
   * Accepts no more impressions, and sends what is pending and what responses still hold. What has
   * no outcome when the time has run out is counted as `dropped: closed`, or `uncertain` if it may
   * have counted. Nothing is sent after that. Connections or an outbox that do not answer delay it
   * by up to 2 seconds more. Calling it again returns the same promise.
   *
   * @returns `true` when everything got its outcome in time, `false` when the time has run out
   */
  close(options?: TimeoutOptions): Promise<boolean>
  /**
   * Calls `listener` with each outcome.
   *
   * @returns a function that removes the listener
   */
  on(event: 'outcome', listener: OutcomeListener): () => void
  [Symbol.asyncDispose](): Promise<void>
}

/** The application-wide object that owns networks, dedupe and delivery. */
export interface Tracker extends TrackerMethods {
  /** The helper for one request: the same for the same response, however often it is called. */
  pageLoad(req: IncomingMessage, res: ServerResponse): TrackImpression
  /**
   * The reply to a request for the client script, or to one of its reports: below
   * `visibility.path`. The middleware for Express and Koa sends it by itself.
   *
   * @param body what a body parser has made of the request's body, if one has
   * @returns `undefined` for any other request
   */
  reply(req: IncomingMessage, body?: unknown): Promise<Reply> | undefined
}

/** A tracker whose option functions get the framework's own request object. */
export interface FrameworkTracker<Source> {
  readonly methods: TrackerMethods
  pageLoad(req: IncomingMessage, res: ServerResponse, source: Source): TrackImpression
  reply(req: IncomingMessage, source: Source, body: unknown): Promise<Reply> | undefined
}

/** `impressions()` takes the tracker's options, or a tracker that several apps share. */
export type ImpressionsOptions<Source> = TrackerOptions<Source> | { tracker: Tracker }

/** Replacements for the system's clock and random numbers. */
export interface TestOverrides {
  readonly clock?: Clock
  readonly random?: () => number
}

const DEFAULT_TIMEOUT_MS = 10_000

const timeoutSchema = z.strictObject({ timeoutMs: wholeNumber(0).default(DEFAULT_TIMEOUT_MS) })

/**
 * Creates a tracker for any server on `node:http`, or to be shared by several apps.
 *
 * @throws {ConfigurationError} naming everything that is wrong with the options
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
 * The tracker behind a framework's middleware: the given one, or a new one.
 *
 * @throws {ConfigurationError} naming everything that is wrong with the options
 */
export function resolveTracker<Source>(
  options: ImpressionsOptions<Source>,
): FrameworkTracker<Source> {
  if (!hasTracker(options)) return assembleTracker(options)
  const { tracker, ...others } = options
  const [other] = Object.keys(others)
  if (other !== undefined || typeof tracker?.pageLoad !== 'function') {
    throw new ConfigurationError(
      'invalid-options',
      other === undefined
        ? 'impressions(): tracker: expected what createTracker() returns'
        : `impressions(): ${other}: expected nothing beside tracker; pass it to createTracker()`,
    )
  }
  return {
    methods: tracker,
    // When Koa has cut a mount path off the URL, only its context knows the whole URL.
    pageLoad: (req, res, source) =>
      tracker.pageLoad(Object.assign(req, { originalUrl: readOriginalUrl(req, source) }), res),
    // An object that wraps a tracker may lack it.
    reply: (req, _source, body) => tracker.reply?.(req, body),
  }
}

/** Options that are no object are left to `resolveOptions`, which explains. */
function hasTracker(options: ImpressionsOptions<never>): options is { tracker: Tracker } {
  return typeof options === 'object' && options !== null && 'tracker' in options
}

/** The methods alone, to be put on a middleware. */
export function pickMethods(tracker: TrackerMethods): TrackerMethods {
  const { stats, flush, close, on } = tracker
  return { stats, flush, close, on, [Symbol.asyncDispose]: async () => void (await close()) }
}

/** Wires the parts. No other place does. */
export function assembleTracker<Source>(
  options: TrackerOptions<Source>,
  { clock = systemClock, random = Math.random }: TestOverrides = {},
  caller = 'impressions()',
): FrameworkTracker<Source> {
  const configuration = resolveOptions(options, caller)
  const log = createLog(configuration.logger, clock)
  if (!configuration.enabled) return createDisabledTracker(configuration, clock, log)
  logWarnings(configuration.networks, log)
  const statistics = new Statistics(configuration.networks, clock, log)
  const usedTokens = createUsedTokens(configuration, clock, log)
  const dedupe = new Dedupe({ ...configuration.dedupe, now: clock.now, usedTokens })
  const openResponses = new OpenResponses(clock)
  const lifecycle = { isClosed: false }
  const shared = { configuration, statistics, dedupe, usedTokens, clock, random, log, lifecycle }
  const channels = configuration.networks.map((network) => createChannel(network, shared))
  const visibility = createVisibility(channels, shared)
  const reader = new InputReader(channels, log)
  const pageLoadDependencies = { ...shared, reader, visibility, openResponses }
  return {
    methods: createMethods(channels, openResponses, shared),
    pageLoad: cacheHelpers((req, res, source) =>
      createTrackImpression(new PageLoad(pageLoadDependencies, req, res, source)),
    ),
    reply: (req, source, body) => visibility?.routes.reply(req, source, body),
  }
}

function logWarnings(networks: readonly Network[], log: Log): void {
  for (const { name, warnings } of networks) {
    for (const warning of warnings) {
      const message = `${name}: ${warning}`
      log.warn(message, message)
    }
  }
}

/** The tracker with `enabled: false`: the same surface, on which nothing is counted or sent. */
function createDisabledTracker<Source>(
  configuration: Configuration<Source>,
  clock: Clock,
  log: Log,
): FrameworkTracker<Source> {
  const { networks } = configuration
  // So that code that reads `stats().ens` works without a key, too.
  const builtIns = Object.keys(builtInNetworks).map((name) => ({ name }))
  const statistics = new Statistics(networks.length > 0 ? networks : builtIns, clock, log)
  return {
    methods: {
      stats: () => statistics.snapshot(),
      flush: async () => true,
      close: async () => true,
      on: (event, listener) => statistics.on(event, listener),
      [Symbol.asyncDispose]: async () => {},
    },
    pageLoad: cacheHelpers((req, _res, source) =>
      createDisabledTrackImpression(
        () => identifyPageLoad(req, source, configuration, log, () => false).requestId,
      ),
    ),
    reply: () => undefined,
  }
}

/** What most parts need. */
interface SharedParts<Source> {
  readonly configuration: Configuration<Source>
  readonly statistics: Statistics
  readonly dedupe: Dedupe
  /** `undefined` without the option `visibility`. */
  readonly usedTokens: UsedTokens | undefined
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  /** `isClosed` becomes `true` with the first `close()`. */
  readonly lifecycle: { isClosed: boolean }
}

function createChannel<Source>(network: Network, shared: SharedParts<Source>): NetworkChannel {
  const { configuration, clock, random, log, lifecycle } = shared
  const { maxPending, timeoutMs, maxAgeMs, processes } = configuration.delivery
  const { name, maxBatch } = network
  const statistics = shared.statistics.forNetwork(name)
  const outbox = configuration.outbox({ network: name, maxPending, maxBatch })
  const transport = createTransport(network, timeoutMs, clock)
  const delivery = new Delivery({
    network,
    statistics,
    outbox,
    transport,
    maxPending,
    maxAgeMs,
    processes,
    clock,
    random,
    log,
  })
  const isClosed = () => lifecycle.isClosed
  return new NetworkChannel({ network, statistics, delivery, isClosed, log })
}

/** Visible impressions per page load for which the record of used tokens has room. */
const USED_TOKENS_PER_PAGE_LOAD = 10
/** Below the size that a JavaScript `Set` can have. */
const MAX_USED_TOKENS = 10_000_000

function createUsedTokens<Source>(
  { visibility, dedupe }: Configuration<Source>,
  clock: Clock,
  log: Log,
): UsedTokens | undefined {
  if (!visibility) return undefined
  const max = Math.min(dedupe.max * USED_TOKENS_PER_PAGE_LOAD, MAX_USED_TOKENS)
  return new UsedTokens({ max, ttlMs: visibility.tokenTtlMs, now: clock.wallNow, log })
}

function createVisibility<Source>(
  channels: readonly NetworkChannel[],
  { configuration, statistics, dedupe, usedTokens, clock, log }: SharedParts<Source>,
): PageLoadDependencies<Source>['visibility'] {
  if (!configuration.visibility || !usedTokens) return undefined
  const { secrets, tokenTtlMs, path } = configuration.visibility
  const tokens = new Tokens({ secrets, ttlMs: tokenTtlMs, now: clock.wallNow })
  const admission = configuration
  const parts = { tokens, usedTokens, channels, statistics, dedupe, admission, clock, log }
  const reports = new VisibleReports(parts)
  return { tokens, usedTokens, routes: new Routes(path, new ClientScript(), reports, clock) }
}

function createMethods<Source>(
  channels: readonly NetworkChannel[],
  openResponses: OpenResponses,
  { statistics, clock, log, lifecycle }: SharedParts<Source>,
): TrackerMethods {
  const deliveries = channels.map(({ delivery }) => delivery)
  const removeExitWarning = warnAtExit(() => statistics.snapshot())
  let closing: Promise<boolean> | undefined

  async function drainAndClose(timeoutMs: number): Promise<boolean> {
    lifecycle.isClosed = true
    for (const delivery of deliveries) delivery.suspendPacing()
    const isIdle = await waitAtMost(clock, timeoutMs, statistics.whenIdle())
    openResponses.drop()
    await Promise.all(deliveries.map((delivery) => delivery.close()))
    removeExitWarning()
    return isIdle
  }

  const methods: TrackerMethods = {
    stats: () => statistics.snapshot(),
    async flush(options = {}) {
      const timeoutMs = readTimeout('flush()', options, log)
      // When called on the response's own 'finish', our listener runs first this way.
      await new Promise<void>((resolve) => clock.defer(resolve))
      for (const delivery of deliveries) delivery.suspendPacing()
      const flushed = await Promise.all(deliveries.map((delivery) => delivery.flush(timeoutMs)))
      for (const delivery of deliveries) delivery.resumePacing()
      return flushed.every(Boolean)
    },
    close(options = {}) {
      closing ??= drainAndClose(readTimeout('close()', options, log))
      return closing
    },
    on: (event, listener) => statistics.on(event, listener),
    [Symbol.asyncDispose]: async () => void (await methods.close()),
  }
  return methods
}

/** An invalid option must not lose impressions at the end of a process, so it is only logged. */
function readTimeout(method: 'flush()' | 'close()', options: unknown, log: Log): number {
  try {
    return checkOptions(method, timeoutSchema, options).timeoutMs
  } catch (thrown) {
    const message = `${describeError(thrown)}; ${DEFAULT_TIMEOUT_MS} ms are used instead`
    log.error(`option ${method}`, message)
    return DEFAULT_TIMEOUT_MS
  }
}

/** One helper per response, however often it is asked for. */
function cacheHelpers<Source>(
  create: FrameworkTracker<Source>['pageLoad'],
): FrameworkTracker<Source>['pageLoad'] {
  const helper = Symbol('ad-impressions')
  return (req, res: ServerResponse & { [helper]?: TrackImpression }, source) => {
    res[helper] ??= create(req, res, source)
    return res[helper]
  }
}
