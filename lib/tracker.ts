import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Clock, systemClock } from './clock.js'
import { Dedupe } from './counting/dedupe.js'
import { Statistics } from './counting/statistics.js'
import type { UsedTokens } from './counting/used-tokens.js'
import { createTransport } from './delivery/call/transport.js'
import { Delivery } from './delivery/delivery.js'
import { NetworkChannel } from './delivery/network-channel.js'
import type { Outbox } from './delivery/outbox/outbox.js'
import {
  createDisabledMethods,
  createMethods,
  type TrackerMethods,
} from './delivery/tracker-methods.js'
import { ConfigurationError } from './errors.js'
import { OpenResponses } from './held-impressions.js'
import { consoleLogger, createLog, type Log } from './logger.js'
import { isExchange, Misuse } from './misuse.js'
import { builtInNetworks } from './networks/built-in-networks.js'
import { InputReader } from './networks/input-reader.js'
import type { Network } from './networks/network.js'
import { createDisabledHealth } from './observability/health.js'
import { createInspector } from './observability/inspector/create-inspector.js'
import { type Configuration, resolveOptions, type TrackerOptions } from './options.js'
import { PageLoad } from './page-load.js'
import { readOriginalUrl } from './request/original-url.js'
import type { Reply } from './request/reply.js'
import { identifyPageLoad } from './request/request-id.js'
import {
  createDisabledTrackImpression,
  createTrackImpression,
  type TrackImpression,
} from './track-impression.js'
import { createUsedTokens, createVisibility } from './visibility/create-visibility.js'
import { DEFAULT_PATH } from './visibility/options.js'

// The adapters need only this file.
export { pickMethods, type TrackerMethods } from './delivery/tracker-methods.js'

/** The application-wide object that owns networks, dedupe and delivery. */
export interface Tracker extends TrackerMethods {
  /** The helper for one request: the same for the same response, however often it is called. */
  pageLoad(req: IncomingMessage, res: ServerResponse): TrackImpression
  /**
   * The reply to a request for the client script, to one of its reports, or to a request for the
   * inspector: below `visibility.path`. The middleware for Express and Koa sends it by itself.
   *
   * @param body what a body parser has made of the request's body, if one has
   * @returns `undefined` for any other request
   */
  reply(req: IncomingMessage, body?: unknown): Promise<Reply> | undefined
  /**
   * The option `visibility.path`, for a framework that needs a route: `reply()` answers requests for
   * this path and for `client.js` below it. `undefined` without the option `visibility`.
   */
  readonly visibilityPath?: string | undefined
  /**
   * The path of the inspector, for a framework that needs a route: `reply()` answers requests for it.
   * `undefined` if the option `inspector` is off.
   */
  readonly inspectorPath?: string | undefined
}

/** A tracker whose option functions get the framework's own request object. */
export interface FrameworkTracker<Source> {
  readonly methods: TrackerMethods
  pageLoad(req: IncomingMessage, res: ServerResponse, source: Source): TrackImpression
  reply(req: IncomingMessage, source: Source, body: unknown): Promise<Reply> | undefined
  readonly visibilityPath: string | undefined
  readonly inspectorPath: string | undefined
  /** Names mistakes in how the app uses the tracker. */
  readonly misuse: Misuse
}

/** `impressions()` takes the tracker's options, or a tracker that several apps share. */
export type ImpressionsOptions<Source> =
  | TrackerOptions<Source>
  | {
      /** What `createTracker()` returned. */
      tracker: Tracker
    }

/** Replacements for the system's clock and random numbers. */
export interface TestOverrides {
  readonly clock?: Clock
  readonly random?: () => number
}

/**
 * Creates a tracker for any server on `node:http`, or to be shared by several apps.
 *
 * @throws {ConfigurationError} naming everything that is wrong with the options
 */
export function createTracker(options: TrackerOptions = {}): Tracker {
  const assembled = assembleTracker(options, {}, 'createTracker()')
  const { methods, pageLoad, reply, visibilityPath, inspectorPath, misuse } = assembled
  const tracker: Tracker = {
    ...methods,
    pageLoad: (req, res) => pageLoad(req, res, req),
    reply: (req, body) => reply(req, req, body),
    visibilityPath,
    inspectorPath,
  }
  misuses.set(tracker.pageLoad, misuse)
  return tracker
}

/** Of trackers that middlewares may share, by a method, since an app may wrap the object itself. */
const misuses = new WeakMap<Tracker['pageLoad'], Misuse>()

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
    visibilityPath: tracker.visibilityPath,
    inspectorPath: tracker.inspectorPath,
    misuse: misuses.get(tracker.pageLoad) ?? new Misuse(createLog(consoleLogger, systemClock)),
  }
}

/** Options that are no object are left to `resolveOptions`, which explains. */
function hasTracker(options: ImpressionsOptions<never>): options is { tracker: Tracker } {
  return typeof options === 'object' && options !== null && 'tracker' in options
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
  const hasViewability = configuration.visibility !== undefined
  const inspector = createInspector(configuration, basePath(configuration), clock, log)
  const statistics = new Statistics(configuration.networks, clock, log, hasViewability, inspector)
  const usedTokens = createUsedTokens(configuration, clock, log)
  const dedupe = new Dedupe({ ...configuration.dedupe, now: clock.now, usedTokens })
  const openResponses = new OpenResponses(clock)
  const lifecycle = { isClosed: false }
  const misuse = new Misuse(log)
  const shared = {
    configuration,
    statistics,
    dedupe,
    usedTokens,
    clock,
    random,
    log,
    misuse,
    lifecycle,
  }
  const channels = configuration.networks.map((network) => createChannel(network, shared))
  const deliveries = channels.map(({ delivery }) => delivery)
  const visibility = createVisibility(channels, shared)
  const reader = new InputReader(channels, log)
  const hasFleet = deliveries.some(({ fleet }) => fleet !== undefined)
  const pageLoadDependencies = { ...shared, reader, visibility, openResponses, hasFleet, inspector }
  const methods = createMethods({ ...shared, deliveries, openResponses })
  return {
    methods,
    pageLoad: cacheHelpers((req, res, source) => {
      inspector?.onRequest(req)
      return createTrackImpression(new PageLoad(pageLoadDependencies, req, res, source))
    }, misuse),
    reply: (req, source, body) =>
      visibility?.routes.reply(req, source, body) ?? inspector?.reply(req, source, methods),
    visibilityPath: configuration.visibility?.path,
    inspectorPath: inspector?.path,
    misuse,
  }
}

function logWarnings(networks: readonly Network[], log: Log): void {
  for (const { name, warnings } of networks) {
    for (const warning of warnings) {
      log.warn(`network-warning ${name} ${warning}`, `${name}: ${warning}`)
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
  const misuse = new Misuse(log)
  const counted = networks.length > 0 ? networks : builtIns
  const statistics = new Statistics(counted, clock, log)
  const health = createDisabledHealth(counted, clock.wallNow())
  const methods = createDisabledMethods(statistics, health)
  const inspector = createInspector(configuration, basePath(configuration), clock, log)
  return {
    methods,
    pageLoad: cacheHelpers(
      (req, _res, source) =>
        createDisabledTrackImpression(
          () => identifyPageLoad(req, source, configuration, log, () => false).requestId,
        ),
      misuse,
    ),
    reply: (req, source) => inspector?.reply(req, source, methods),
    visibilityPath: undefined,
    inspectorPath: inspector?.path,
    misuse,
  }
}

/** What the middleware serves itself is below this path. */
function basePath({ visibility }: Pick<Configuration<never>, 'visibility'>): string {
  return visibility?.path ?? DEFAULT_PATH
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
  readonly misuse: Misuse
  /** `isClosed` becomes `true` with the first `close()`. */
  readonly lifecycle: { isClosed: boolean }
}

function createChannel<Source>(network: Network, shared: SharedParts<Source>): NetworkChannel {
  const { configuration, clock, random, log, lifecycle } = shared
  const { maxPending, timeoutMs, maxAgeMs, processes } = configuration.delivery
  const statistics = shared.statistics.forNetwork(network.name)
  const outbox = openOutbox(network, shared)
  const transport = createTransport(network, timeoutMs, clock)
  const delivery = new Delivery({
    network,
    statistics,
    outbox,
    transport,
    maxPending,
    maxAgeMs,
    // A shared outbox knows all calls of its processes.
    processes: outbox.fleet ? 1 : processes,
    clock,
    random,
    log,
  })
  const { requestId, pageLoadCookie, visibility } = configuration
  const canPageLoadsRecur = Boolean(requestId ?? pageLoadCookie ?? visibility)
  return new NetworkChannel({
    network,
    statistics,
    delivery,
    isDedupedByOutbox: canPageLoadsRecur && outbox.fleet !== undefined,
    isClosed: () => lifecycle.isClosed,
    log,
  })
}

function openOutbox<Source>(network: Network, shared: SharedParts<Source>): Outbox {
  const { configuration, statistics, clock, log } = shared
  const { delivery, dedupe, visibility, networks } = configuration
  const { name, maxBatch, windows } = network
  const isFirst = networks[0] === network
  return configuration.outbox({
    network: name,
    maxPending: delivery.maxPending,
    maxBatch,
    longestWindowMs: Math.max(0, ...windows.map(({ windowMs }) => windowMs)),
    timeoutMs: delivery.timeoutMs,
    // A token may be issued as late as its page load is remembered.
    dedupeTtlMs: dedupe.ttlMs + (visibility?.tokenTtlMs ?? 0),
    figures: () => statistics.figuresToShare(name, isFirst),
    clock,
    log,
  })
}

/** One helper per response, however often it is asked for. */
function cacheHelpers<Source>(
  create: FrameworkTracker<Source>['pageLoad'],
  misuse: Misuse,
): FrameworkTracker<Source>['pageLoad'] {
  const helper = Symbol('ad-impressions')
  return (req, res: ServerResponse & { [helper]?: TrackImpression }, source) => {
    if (!isExchange(req, res)) {
      misuse.report('no-response')
      return createDisabledTrackImpression(randomUUID)
    }
    res[helper] ??= create(req, res, source)
    return res[helper]
  }
}
