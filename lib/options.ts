import type { IncomingMessage } from 'node:http'
import { z } from 'zod'
import { aFunction, checkOptions, wholeNumber } from './check-options.js'
import type { DedupeLimits } from './counting/dedupe.js'
import { MemoryOutbox, type OpenOutbox } from './delivery/outbox/outbox.js'
import { ConfigurationError } from './errors.js'
import { consoleLogger, type Logger } from './logger.js'
import { apiKeyVariable } from './networks/built-in.js'
import { isNetwork } from './networks/define-network.js'
import { builtInNetworks } from './networks/index.js'
import type { Network } from './networks/network.js'
import type { AdmissionOptions, BotRule, TrafficRule } from './request/admission.js'
import { PAGE_LOAD_COOKIE } from './request/page-load-cookie.js'
import type { RequestIdOptions } from './request/request-id.js'
import { CDNS, type Cdn } from './viewer/country.js'
import type { Device } from './viewer/device.js'
import type { ViewerOptions } from './viewer/viewer.js'
import {
  resolveVisibility,
  type Visibility,
  type VisibilityOptions,
  visibilitySchema,
} from './visibility/options.js'

/**
 * @typeParam Source what the functions below are given: Express's `Request`, Koa's `Context`, or
 *   `node:http`'s `IncomingMessage` for a tracker made by `createTracker`
 */
export interface TrackerOptions<Source = IncomingMessage> {
  /**
   * The networks that are told. Default: each of ENS and Closient whose key is in the environment,
   * as `ENS_API_KEY` and `CLOSIENT_API_KEY`.
   *
   * @example networks: [ens({ apiKey }), closient({ perOffer: true })]
   */
  networks?: readonly Network[] | undefined
  /**
   * Names the page load, in which a campaign counts once: 1 to 200 visible ASCII characters. It
   * must be unique and must not be a client's to choose. Default: a fresh UUID for each request.
   */
  requestId?: ((source: Source) => string | undefined) | undefined
  /**
   * The viewer's country: the CDN in front, whose header is then believed, or a function that
   * returns an ISO 3166-1 alpha-2 code. Default: none.
   */
  country?: Cdn | ((source: Source) => string | null | undefined) | undefined
  /** The viewer's device. Default: client hints, then the User-Agent. */
  device?: ((source: Source) => Device | null | undefined) | undefined
  /** The search that led to the page, at most 1,024 characters. Default: none. */
  searchQuery?: ((source: Source) => string | null | undefined) | undefined
  /**
   * Whether this viewer's impressions may be told. Asked once per page load, when it first tracks
   * one; anything but `true` is a no. Default: always.
   */
  consent?: ((source: Source) => boolean) | undefined
  /**
   * Robots and speculative loads (prefetch, prerender) display nothing to a person. `bots` may be
   * a function that says whether a request is a robot's; it is told what isbot says.
   *
   * @default { bots: 'skip', prefetch: 'skip' }
   * @example traffic: { bots: (req, isKnownBot) => isKnownBot || req.get('x-monitor') === '1' }
   */
  traffic?:
    | { bots?: TrafficRule | BotRule<Source> | undefined; prefetch?: TrafficRule | undefined }
    | undefined
  /**
   * How many page loads are remembered, and how long, in milliseconds.
   *
   * @default { max: 100_000, ttlMs: 1_800_000 }
   */
  dedupe?: { max?: number | undefined; ttlMs?: number | undefined } | undefined
  /**
   * Lets fragments that a page fetches (htmx, XHR, iframes) share its page load, by a session
   * cookie of this name, or of the name `ad-page-load`. Pages that set it are private to caches.
   *
   * @default false
   */
  pageLoadCookie?: boolean | string | undefined
  /**
   * Turns on `trackImpression.whenVisible`: impressions that count once they are seen. Default: off.
   *
   * @example visibility: { secret: process.env.AD_IMPRESSIONS_SECRET }
   */
  visibility?: VisibilityOptions | undefined
  /**
   * For each network: how many impressions may wait or be in flight, how long a call may take, and
   * how long an impression may wait unsent, in milliseconds.
   *
   * @default { maxPending: 100_000, timeoutMs: 10_000, maxAgeMs: 3_600_000 }
   */
  delivery?:
    | {
        maxPending?: number | undefined
        timeoutMs?: number | undefined
        maxAgeMs?: number | undefined
      }
    | undefined
  /**
   * Opens where one network's accepted impressions wait. Default: the process's memory, in which
   * what waits ends with the process.
   */
  outbox?: OpenOutbox | undefined
  /** Shaped as pino's. Each kind of message at most once a minute. Default: the console. */
  logger?: Logger | undefined
  /**
   * Throws from `trackImpression` on invalid input: for development and tests.
   *
   * @default false
   */
  strict?: boolean | undefined
}

export interface DeliveryLimits {
  /** Most impressions of one network that wait or are in flight. */
  readonly maxPending: number
  /** How long a call may take, from dispatch to the last byte of its answer. */
  readonly timeoutMs: number
  /** How long an impression may wait unsent. */
  readonly maxAgeMs: number
}

/** The options, checked and complete: nothing downstream knows a default. */
export interface Configuration<Source>
  extends ViewerOptions<Source>,
    RequestIdOptions<Source>,
    AdmissionOptions<Source> {
  readonly networks: readonly Network[]
  readonly dedupe: DedupeLimits
  readonly visibility: Visibility | undefined
  readonly delivery: DeliveryLimits
  readonly outbox: OpenOutbox
  readonly logger: Logger
  readonly strict: boolean
}

export const DEFAULTS = {
  traffic: { bots: 'skip', prefetch: 'skip' },
  dedupe: { max: 100_000, ttlMs: 30 * 60_000 },
  delivery: { maxPending: 100_000, timeoutMs: 10_000, maxAgeMs: 60 * 60_000 },
  strict: false,
} as const

const rule = z.enum(['skip', 'count'])
/** A token (RFC 9110 section 5.6.2), as RFC 6265 asks of a cookie's name. */
const COOKIE_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}$/

const aCookieName = 'expected true, false or the name of a cookie: up to 64 letters, digits and -_.'

const milliseconds = wholeNumber(1)

const schema = z.strictObject({
  networks: z
    .array(
      z.custom<Network>(isNetwork, 'expected a network: ens(), closient() or defineNetwork()'),
      'expected an array of networks, such as [ens(), closient()]',
    )
    .refine((networks) => networks.length > 0, 'expected at least one network')
    .refine(
      (networks) => new Set(networks.map(({ name }) => name)).size === networks.length,
      'expected each network once: two have the same name',
    )
    .optional(),
  requestId: aFunction.optional(),
  country: z
    .union([z.enum(CDNS), aFunction], {
      error: `expected a function or one of ${CDNS.join(', ')}`,
    })
    .optional(),
  device: aFunction.optional(),
  searchQuery: aFunction.optional(),
  consent: aFunction.optional(),
  traffic: z
    .strictObject({
      bots: z
        .union([rule, aFunction], { error: "expected 'skip', 'count' or a function" })
        .optional(),
      prefetch: rule.optional(),
    })
    .optional(),
  pageLoadCookie: z
    .union([z.boolean(), z.string().regex(COOKIE_NAME, aCookieName)], { error: aCookieName })
    .optional(),
  dedupe: z
    .strictObject({
      // What an LRU of that many entries allocates at start-up is then still below 1 GB.
      max: wholeNumber(1, 10_000_000).optional(),
      ttlMs: milliseconds.optional(),
    })
    .optional(),
  visibility: visibilitySchema.optional(),
  delivery: z
    .strictObject({
      maxPending: wholeNumber(1).optional(),
      timeoutMs: milliseconds.optional(),
      maxAgeMs: milliseconds.optional(),
    })
    .optional(),
  outbox: aFunction.optional(),
  logger: z
    .custom<Logger>(
      (value) =>
        typeof value === 'object' &&
        value !== null &&
        (['debug', 'warn', 'error'] as const).every(
          (level) => level in value && typeof Reflect.get(value, level) === 'function',
        ),
      'expected an object with the methods debug, warn and error',
    )
    .optional(),
  strict: z.boolean().optional(),
})

const openMemory: OpenOutbox = (limits) => new MemoryOutbox(limits)

/**
 * Options in, frozen and complete configuration out.
 *
 * @param subject what was called, for the messages
 * @throws {ConfigurationError} `invalid-options` or `no-network`, naming all that is wrong
 */
export function resolveOptions<Source>(
  options: TrackerOptions<Source>,
  subject = 'impressions()',
): Configuration<Source> {
  if (
    typeof options === 'object' &&
    options !== null &&
    ('httpVersion' in options || 'req' in options)
  ) {
    throw new ConfigurationError(
      'invalid-options',
      'impressions() was given a request: write app.use(impressions()), not app.use(impressions)',
    )
  }
  const { visibility } = checkOptions(subject, schema, options)
  const { traffic, delivery, pageLoadCookie } = options
  const dedupe = Object.freeze({
    max: options.dedupe?.max ?? DEFAULTS.dedupe.max,
    ttlMs: options.dedupe?.ttlMs ?? DEFAULTS.dedupe.ttlMs,
  })
  return Object.freeze({
    networks: Object.freeze([...(options.networks ?? readNetworksFromEnvironment())]),
    requestId: options.requestId,
    country: options.country,
    device: options.device,
    searchQuery: options.searchQuery,
    consent: options.consent,
    traffic: Object.freeze({
      bots: traffic?.bots ?? DEFAULTS.traffic.bots,
      prefetch: traffic?.prefetch ?? DEFAULTS.traffic.prefetch,
    }),
    pageLoadCookie: pageLoadCookie === true ? PAGE_LOAD_COOKIE : pageLoadCookie || undefined,
    dedupe,
    visibility: resolveVisibility(visibility, dedupe, subject),
    delivery: Object.freeze({
      maxPending: delivery?.maxPending ?? DEFAULTS.delivery.maxPending,
      timeoutMs: delivery?.timeoutMs ?? DEFAULTS.delivery.timeoutMs,
      maxAgeMs: delivery?.maxAgeMs ?? DEFAULTS.delivery.maxAgeMs,
    }),
    outbox: options.outbox ?? openMemory,
    logger: options.logger ?? consoleLogger,
    strict: options.strict ?? DEFAULTS.strict,
  })
}

function readNetworksFromEnvironment(): readonly Network[] {
  const networks = Object.entries(builtInNetworks)
    .filter(([name]) => process.env[apiKeyVariable(name)])
    .map(([, create]) => create())
  if (networks.length > 0) return networks
  const variables = Object.keys(builtInNetworks).map(apiKeyVariable)
  throw new ConfigurationError(
    'no-network',
    `no network is configured: set ${variables.join(' or ')} in the environment, ` +
      'or pass impressions({ networks: [ens({ apiKey }), closient({ apiKey })] })',
  )
}
