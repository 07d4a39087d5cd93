import type { InvalidImpressionError } from '../errors.js'
import type { Viewer } from '../viewer/viewer.js'
import type { Answer } from './answer.js'
import type { ConnectionOptions } from './connection-options.js'
import type { Verdict } from './verdict.js'

/**
 * The input type of each network, by network name. Add the type of your own network, so that
 * `trackImpression` accepts and checks it:
 *
 * ```ts
 * declare module 'ad-impressions' {
 *   interface ImpressionInputs { acme: { campaignId: string; slot: string; network?: 'acme' } }
 * }
 * ```
 */
// biome-ignore lint/suspicious/noEmptyInterface: each network's file adds its own entry
export interface ImpressionInputs {}

type AnyInput = ImpressionInputs[keyof ImpressionInputs]

type FieldName<Input> = Input extends Input ? keyof Input : never

/** Each input without the other inputs' fields. A plain union would accept them in combination. */
type Exclusive<Input> = Input extends Input
  ? Input & { [Other in Exclude<FieldName<AnyInput>, keyof Input>]?: undefined }
  : never

/**
 * The input of `trackImpression`: that of any network in `ImpressionInputs`, without the fields of
 * other networks.
 */
export type ImpressionInput = Exclusive<AnyInput>

/**
 * The fields of an input that some network knows, each read once; `undefined` if not given, which a
 * page may also write as `null`.
 */
export type Fields = Readonly<Record<string, unknown>>

/** How well the shape of an input fits a network. */
export type Match = 'certain' | 'likely' | 'no'

/** When impressions are sent: as they occur, or once the response has been written completely. */
export type Flush = 'immediate' | 'finish'

/** A rate limit. */
export interface QuotaWindow {
  /** Most calls in any `windowMs` milliseconds. */
  readonly limit: number
  /** The length of the window, in milliseconds. */
  readonly windowMs: number
}

/** A valid input, as its network understands it. */
export interface Parsed<Item> {
  /** As the network writes it. A campaign must have one spelling, because it counts only once. */
  readonly campaignId: string | number
  /** What counts once in a page load. Default: the campaign id. */
  readonly onceKey?: string
  /** Only impressions with the same key share a call. Default: all of the network's have one key. */
  readonly batchKey?: string
  /** Where the campaign was displayed. For outcome events. */
  readonly placement?: string | undefined
  /** The offer that was displayed. For outcome events. */
  readonly offerId?: string | undefined
  /**
   * The optional fields whose values are wrong and which `item` therefore omits. Each is logged as a
   * warning, and the impression counts; with the option `strict` the first one is thrown. Ignore a
   * field if the display is billable without it; throw if the field decides what is billed.
   */
  readonly ignored?: readonly InvalidImpressionError[] | undefined
  /**
   * Passed to `request` unchanged. With `whenVisible` it travels through the browser as JSON, where
   * the viewer can read it: do not put a secret in it.
   */
  readonly item: Item
}

/** The HTTP request that carries impressions. */
export interface NetworkRequest {
  /** The request method. */
  readonly method: 'POST' | 'PUT' | 'GET'
  /** Path and query below the base URL, starting with a slash. */
  readonly path: string
  /** Their values are secret, except those of `content-type`, `accept` and `user-agent`. */
  readonly headers: Readonly<Record<string, string>>
  /** The body, sent as UTF-8; empty for none. */
  readonly body: string
  /** What else must not be logged when the network repeats it: the definition's `secrets`. */
  readonly secrets?: readonly string[] | undefined
}

/**
 * The definition of an ad network: a pure translation. It never sends, waits or retries; delivery
 * does that in the same way for every network.
 *
 * @typeParam Item what `parse` returns for an input and `request` puts into a call
 */
export interface NetworkDefinition<Item> extends ConnectionOptions {
  /** Lower-case. Used in `stats()`, in logs and in `trackImpression({ network })`. */
  readonly name: string
  /** An https URL, or http on loopback. It may have a path. */
  readonly baseUrl: string
  /** The names of the input's fields, except `campaignId` and `network`. */
  readonly fields: readonly string[]
  /** Whether an input that does not name its network fits this one. Default: `'likely'`. */
  match?(fields: Fields): Match
  /**
   * Translates an input. A wrong optional field can be `ignored` instead of thrown.
   *
   * @throws {InvalidImpressionError} names the field and what it should be
   */
  parse(fields: Fields, viewer: Viewer): Parsed<Item>
  /**
   * One call that carries all `items`: at most `maxBatch`, all with the same batch key unless
   * `mixesBatchKeys` is set.
   */
  request(items: readonly Item[]): NetworkRequest
  /** What an answer means. Default: `verdictOnStatus`, which judges by the HTTP status. */
  verdict?(answer: Answer): Verdict
  /** When impressions are sent. @default 'immediate' */
  readonly flush?: Flush | undefined
  /** Whether to send an impression again that may already have counted. @default 'drop' */
  readonly onUncertain?: 'drop' | 'resend' | undefined
  /** Most concurrent calls. @default 128 */
  readonly connections?: number | undefined
  /** Most impressions per call. @default 1 */
  readonly maxBatch?: number | undefined
  /**
   * What must not be logged when the network repeats it: a key that is in the path, the query or the
   * body of its requests. Headers are secret anyway. Default: none.
   *
   * @example secrets: [apiKey]
   */
  readonly secrets?: readonly string[] | undefined
  /**
   * What looks wrong in the configuration, one sentence each. A tracker logs them when it is created.
   * They must not contain a secret. @default []
   */
  readonly warnings?: readonly string[] | undefined
  /**
   * Whether `request` also takes items with different batch keys, and leaves out what they differ
   * in. Used only for impressions that would otherwise expire before quota is left for a call per
   * batch key. @default false
   */
  readonly mixesBatchKeys?: boolean | undefined
  /** The published rate limits. The headers of its answers update them. @default [] */
  readonly windows?: readonly QuotaWindow[] | undefined
}

/** A network with all defaults filled in: what `ens()`, `closient()` and `defineNetwork()` return. */
export interface Network<Item = unknown>
  // Without the secrets, so that printing a network shows none. Its requests carry them.
  extends Required<Omit<NetworkDefinition<Item>, 'secrets' | keyof ConnectionOptions>> {
  /** A function, so that printing a network shows no password and no private key. */
  connectionOptions(): ConnectionOptions
  readonly flush: Flush
  readonly onUncertain: 'drop' | 'resend'
  readonly connections: number
  readonly maxBatch: number
  readonly mixesBatchKeys: boolean
  readonly windows: readonly QuotaWindow[]
  readonly warnings: readonly string[]
}
