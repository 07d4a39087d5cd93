import type { Viewer } from '../viewer/viewer.js'
import type { Answer, Verdict } from './verdict.js'

/**
 * The input that each network takes, by network name. A custom network adds its own, so that
 * `trackImpression` is typed for it as well:
 *
 * ```ts
 * declare module 'ad-impressions' {
 *   interface ImpressionInputs { acme: { campaignId: string; slot: string; network?: 'acme' } }
 * }
 * ```
 */
// biome-ignore lint/suspicious/noEmptyInterface: each network's own file fills it in
export interface ImpressionInputs {}

type AnyInput = ImpressionInputs[keyof ImpressionInputs]

type FieldName<Input> = Input extends Input ? keyof Input : never

/** Each input without the others' fields: a union by itself lets any member's field pass in all. */
type Exclusive<Input> = Input extends Input
  ? Input & { [Other in Exclude<FieldName<AnyInput>, keyof Input>]?: undefined }
  : never

/** What `trackImpression` takes. */
export type ImpressionInput = Exclusive<AnyInput>

/** The fields of an input that a network knows, each read once; what was left out is `undefined`. */
export type Fields = Readonly<Record<string, unknown>>

/** How surely an input is meant for a network, as far as its shape tells. */
export type Match = 'certain' | 'likely' | 'no'

/** When impressions leave: as they occur, or once the response has been written whole. */
export type Flush = 'immediate' | 'finish'

/** A quota: at most `limit` calls in any `windowMs` milliseconds. */
export interface QuotaWindow {
  readonly limit: number
  readonly windowMs: number
}

/** A valid input, as its network understands it. */
export interface Parsed<Item> {
  /** As the network spells it. One campaign has one spelling: it is what counts once. */
  readonly campaignId: string | number
  /** What counts once in a page load. Default: the campaign id. */
  readonly onceKey?: string
  /** Impressions with the same key may share one call. Default: all of the network's may. */
  readonly batchKey?: string
  /**
   * Handed to `request` as it is. A visible impression's comes back from the browser as JSON holds it;
   * the viewer can read it, so that no secret belongs in it.
   */
  readonly item: Item
}

/** An HTTP request, as a network's document asks for it. */
export interface NetworkRequest {
  readonly method: 'POST' | 'PUT' | 'GET'
  /** Path and query below the base URL, beginning with a slash. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * What a network is: pure translation. It never sends, waits or retries: delivery does that, the
 * same way for every network.
 *
 * @typeParam Item what `parse` makes of an input and `request` writes to the wire
 */
export interface NetworkDefinition<Item> {
  /** In lower case: names it in `stats()`, logs and `trackImpression({ network })`. */
  readonly name: string
  /** Where it is called: https, or http on loopback only. May have a path. */
  readonly baseUrl: string
  /** The input's fields that it has, besides `campaignId` and `network`. */
  readonly fields: readonly string[]
  /** Whose an input is that does not name its network. Default: `likely`. */
  match?(fields: Fields): Match
  /** @throws {InvalidImpressionError} naming the field and what it should be */
  parse(fields: Fields, viewer: Viewer): Parsed<Item>
  /** One call that carries all of `items`, which share one batch key; at most `maxBatch`. */
  request(items: readonly Item[]): NetworkRequest
  /** What an answer means. Default: its status, by RFC 9110. */
  verdict?(answer: Answer): Verdict
  /** @default 'immediate' */
  readonly flush?: Flush | undefined
  /** What becomes of an impression that may have counted. @default 'drop': it is not sent again */
  readonly onUncertain?: 'drop' | 'resend' | undefined
  /** Most calls under way at once. @default 128 */
  readonly connections?: number | undefined
  /** Most impressions a call carries. @default 1 */
  readonly maxBatch?: number | undefined
  /** The quotas that the network publishes. Its answers' headers correct them. @default [] */
  readonly windows?: readonly QuotaWindow[] | undefined
}

/** A network, checked and complete. Made by `ens()`, `closient()` and `defineNetwork()`. */
export interface Network<Item = unknown> extends Required<NetworkDefinition<Item>> {
  readonly flush: Flush
  readonly onUncertain: 'drop' | 'resend'
  readonly connections: number
  readonly maxBatch: number
  readonly windows: readonly QuotaWindow[]
}
