import type { IncomingMessage } from 'node:http'
import { z } from 'zod'
import { callback, checkOptions, wholeNumber } from './check-options.js'
import { MemoryOutbox } from './delivery/outbox/memory-outbox.js'
import type { OpenOutbox } from './delivery/outbox/outbox.js'
import { likelyProcesses } from './delivery/rate-limit/likely-processes.js'
import { ConfigurationError } from './errors.js'
import { consoleLogger, type Logger } from './logger.js'
import { listBuiltInCalls, networksFromEnvironment } from './networks/built-in-networks.js'
import { isNetwork } from './networks/define-network.js'
import type { Network } from './networks/network.js'
import type { InspectorOption } from './observability/inspector/inspector.js'
import type { BotRule, TrafficRule } from './request/admission.js'
import type { PageLoadCookie } from './request/page-load-cookie.js'
import { suggestName } from './similar-name.js'
import { CDNS, type Cdn } from './viewer/country.js'
import type { Device } from './viewer/device.js'
import {
  resolveVisibility,
  type Visibility,
  type VisibilityOptions,
  visibilitySchema,
} from './visibility/options.js'

/**
 * The options of `impressions()` and `createTracker()`.
 *
 * @typeParam Source the argument of the functions below: Express's `Request`, Koa's `Context`, or
 *   `node:http`'s `IncomingMessage` for `createTracker`
 */
export interface TrackerOptions<Source = IncomingMessage> {
  /**
   * `false` for development, CI and staging: `trackImpression` accepts everything, and nothing is
   * counted or sent. No API key is needed if `networks` is omitted.
   *
   * @default true
   * @example enabled: process.env.NODE_ENV === 'production'
   */
  enabled?: boolean | undefined
  /**
   * The networks that receive impressions. Default: each built-in network whose key is in the
   * environment, e.g. as `ENS_API_KEY` or `CLOSIENT_API_KEY`.
   *
   * @example networks: [ens({ apiKey }), closient({ perOffer: true })]
   */
  networks?: readonly Network[] | undefined
  /**
   * Returns the id of the page load, in which a campaign counts once: 1 to 200 visible ASCII
   * characters. It must be unique, and clients must not be able to choose it. Default: a fresh UUID
   * for each request.
   */
  requestId?: ((source: Source) => string | undefined) | undefined
  /**
   * The viewer's country. Either the CDN in front of the server, whose header is then trusted, or a
   * function that returns an ISO 3166-1 alpha-2 code. Default: none.
   */
  country?: Cdn | ((source: Source) => string | null | undefined) | undefined
  /** Returns the viewer's device. Default: from client hints, then from the User-Agent. */
  device?: ((source: Source) => Device | null | undefined) | undefined
  /** Returns the search that led to the page, at most 1,024 characters. Default: none. */
  searchQuery?: ((source: Source) => string | null | undefined) | undefined
  /**
   * Returns whether this viewer's impressions may be reported. Called once per page load, when it
   * first tracks an impression; anything but `true` means no. Default: always.
   */
  consent?: ((source: Source) => boolean) | undefined
  /**
   * What to do with requests that display nothing to a person: those of bots, and speculative loads
   * (prefetching and prerendering).
   *
   * @default { bots: 'skip', prefetch: 'skip' }
   * @example traffic: { bots: (req, isKnownBot) => isKnownBot || req.get('x-monitor') === '1' }
   */
  traffic?:
    | {
        /** What to do with bots, or a function that decides what a bot is. */
        bots?: TrafficRule | BotRule<Source> | undefined
        /** What to do with speculative loads. */
        prefetch?: TrafficRule | undefined
      }
    | undefined
  /**
   * Which page loads are remembered.
   *
   * @default { max: 100_000, ttlMs: 1_800_000 }
   */
  dedupe?:
    | {
        /** How many page loads are remembered. */
        max?: number | undefined
        /** How long a page load is remembered, in milliseconds: at most 365 days. */
        ttlMs?: number | undefined
      }
    | undefined
  /**
   * Lets fragments that a page fetches (htmx, XHR, iframes) share its page load. Set it to `true`
   * for a session cookie named `ad-page-load`, over https `__Host-ad-page-load`, which no other host
   * can set; or to another cookie name, which is used as it is. Pages that set the cookie are not
   * stored by shared caches.
   *
   * @default false
   */
  pageLoadCookie?: boolean | string | undefined
  /**
   * Enables `trackImpression.whenVisible`: impressions that count when they are seen. Default: off.
   *
   * @example visibility: { secret: process.env.AD_IMPRESSIONS_SECRET }
   */
  visibility?: VisibilityOptions | undefined
  /**
   * The limits of each network.
   *
   * @default { maxPending: 100_000, timeoutMs: 10_000, maxAgeMs: 3_600_000, processes: 1 }
   */
  delivery?:
    | {
        /** How many impressions may be pending or held. */
        maxPending?: number | undefined
        /** How long a call may take, in milliseconds. */
        timeoutMs?: number | undefined
        /** How long an impression may wait unsent, in milliseconds. */
        maxAgeMs?: number | undefined
        /**
         * How many processes share the network's quota without a shared outbox, at least. Answers with
         * RateLimit headers show that as well, but not at once. Default: PM2's `instances`; in another
         * worker of `node:cluster`, one per CPU, up to 8; elsewhere 1.
         */
        processes?: number | undefined
      }
    | undefined
  /**
   * Opens the outbox where one network's accepted impressions wait. Default: in memory, where they
   * are lost when the process ends.
   */
  outbox?: OpenOutbox | undefined
  /**
   * Where messages go: an object with pino's methods. `debug` gets a line for each impression that
   * was not delivered, at most 100 a minute, and none if the method `isLevelEnabled`, which loggers
   * such as pino's and winston's have, returns `false` for `'debug'`.
   * Each kind of warning and error is logged at most once a minute. Default: the console, without
   * `debug` messages unless the environment has `NODE_DEBUG=ad-impressions`.
   */
  logger?: Logger | undefined
  /**
   * Serves a page that shows the latest page loads, what became of each impression and why, and how
   * each network is, at `/_visible/inspector`, or below `visibility.path` if that is set. With `true`
   * everyone may see it who opens it at `localhost` or an IP address, and it is off if `NODE_ENV` is
   * `production`. `allow` returns whether this request may see it, under any name and in production
   * too; anything but `true` means no.
   *
   * @default false
   * @example inspector: { allow: (req) => req.session.user?.isAdmin === true }
   */
  inspector?: InspectorOption<Source> | undefined
  /**
   * Throws from `trackImpression` on invalid input. For development and tests.
   *
   * @default false
   */
  strict?: boolean | undefined
}

const trafficRule = z.enum(['skip', 'count'])
const milliseconds = wholeNumber(1)

/** A token (RFC 9110 section 5.6.2), which RFC 6265 requires of a cookie's name. */
const COOKIE_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}$/
const EXPECTED_COOKIE =
  'expected true, false or the name of a cookie: up to 64 letters, digits and -_.'

const networksSchema = z
  .array(
    z.custom<Network>(isNetwork, `expected a network: ${listBuiltInCalls()} or defineNetwork()`),
    `expected an array of networks, such as [${listBuiltInCalls()}]`,
  )
  .refine((networks) => networks.length > 0, 'expected at least one network')
  .refine(
    (networks) => new Set(networks.map(({ name }) => name)).size === networks.length,
    'expected each network once: two have the same name',
  )
  .readonly()

const LOG_METHODS = ['debug', 'warn', 'error'] as const

function isLogger(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    LOG_METHODS.every((name) => typeof Reflect.get(value, name) === 'function')
  )
}

const openMemoryOutbox: OpenOutbox = (limits) => new MemoryOutbox(limits)

/** What each option must be, and its default. An option without one is `undefined` if not given. */
function optionsSchema<Source>() {
  type Option<Name extends keyof TrackerOptions> = Extract<
    TrackerOptions<Source>[Name],
    (source: Source) => unknown
  >
  return z.strictObject({
    enabled: z.boolean().default(true),
    networks: networksSchema.optional(),
    requestId: callback<Option<'requestId'>>().optional(),
    country: z
      .union([z.enum(CDNS), callback<Option<'country'>>()], {
        error: ({ input }) => {
          const suggestion = typeof input === 'string' ? suggestName(input, CDNS) : ''
          return `expected a function or one of ${CDNS.join(', ')}${suggestion}`
        },
      })
      .optional(),
    device: callback<Option<'device'>>().optional(),
    searchQuery: callback<Option<'searchQuery'>>().optional(),
    consent: callback<Option<'consent'>>().optional(),
    traffic: z
      .strictObject({
        bots: z
          .union([trafficRule, callback<BotRule<Source>>()], {
            error: "expected 'skip', 'count' or a function",
          })
          .default('skip'),
        prefetch: trafficRule.default('skip'),
      })
      .readonly()
      .prefault({}),
    pageLoadCookie: z
      .union([z.boolean(), z.string().regex(COOKIE_NAME, EXPECTED_COOKIE)], {
        error: EXPECTED_COOKIE,
      })
      .transform((cookie): PageLoadCookie | undefined => cookie || undefined)
      .prefault(false),
    dedupe: z
      .strictObject({
        // Each LRU allocates for this many entries at once: 10 million stay below 1 GB.
        max: wholeNumber(1, 10_000_000).default(100_000),
        // A year: stores calculate with the time when a key expires.
        ttlMs: wholeNumber(1, 365 * 86_400_000).default(30 * 60_000),
      })
      .readonly()
      .prefault({}),
    visibility: visibilitySchema.optional(),
    delivery: z
      .strictObject({
        maxPending: wholeNumber(1).default(100_000),
        timeoutMs: milliseconds.default(10_000),
        maxAgeMs: milliseconds.default(60 * 60_000),
        processes: wholeNumber(1).default(() => likelyProcesses()),
      })
      .readonly()
      .prefault({}),
    // Functions, because zod would call or copy the default itself.
    outbox: callback<OpenOutbox>().default(() => openMemoryOutbox),
    logger: z
      .custom<Logger>(isLogger, 'expected an object with the methods debug, warn and error')
      .default(() => consoleLogger),
    inspector: z
      .union(
        [
          z.boolean(),
          z.strictObject({ allow: callback<(source: Source) => boolean>() }).readonly(),
        ],
        { error: 'expected true, false or { allow: (req) => boolean }' },
      )
      .default(false),
    strict: z.boolean().default(false),
  })
}

type CheckedOptions<Source> = z.output<ReturnType<typeof optionsSchema<Source>>>

/** The options after checking: complete and frozen, so that no other file knows a default. */
export type Configuration<Source> = Readonly<
  Required<Omit<CheckedOptions<Source>, 'networks' | 'visibility'>>
> & {
  readonly networks: readonly Network[]
  readonly visibility: Visibility | undefined
}

/**
 * Checks the options and fills in the defaults.
 *
 * @param subject the function that was called, for error messages
 * @throws {ConfigurationError} `invalid-options`, naming everything that is wrong, or `no-network`
 */
export function resolveOptions<Source>(
  options: TrackerOptions<Source>,
  subject = 'impressions()',
): Configuration<Source> {
  if (isRequest(options)) {
    throw new ConfigurationError(
      'invalid-options',
      'impressions() was given a request: write app.use(impressions()), not app.use(impressions)',
    )
  }
  const schema = optionsSchema<Source>()
  const checked = checkOptions(subject, schema, options)
  // Every option is present, so that the configuration always has the same shape.
  const notGiven = Object.fromEntries(
    Object.keys(schema.shape).map((name) => [name, undefined]),
  ) as Record<keyof CheckedOptions<Source>, undefined>
  return Object.freeze({
    ...notGiven,
    ...checked,
    networks: checked.networks ?? Object.freeze(checked.enabled ? networksFromEnvironment() : []),
    visibility: resolveVisibility(checked.visibility, checked.dedupe, subject),
  })
}

/** Whether the argument is Express's `req` or Koa's `ctx`: `app.use(impressions)` passes it. */
function isRequest(value: unknown): boolean {
  return typeof value === 'object' && value !== null && ('httpVersion' in value || 'req' in value)
}
