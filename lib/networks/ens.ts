import { ConfigurationError, InvalidImpressionError } from '../errors.js'
import { isCountryCode } from '../viewer/country.js'
import { type Device, isDevice } from '../viewer/device.js'
import type { Viewer } from '../viewer/viewer.js'
import type { Answer } from './answer.js'
import { type BuiltInOptions, builtInSchema, resolveBuiltInOptions } from './built-in-options.js'
import { defineNetwork } from './define-network.js'
import { createJsonPost } from './json-post.js'
import type { Fields, Network, Parsed } from './network.js'
import { parseJsonObject } from './parse-json-object.js'
import { type NetworkError, type Verdict, verdictOnStatus } from './verdict.js'

/** An impression for ENS. The fields are the body parameters of its API: docs/networks.md. */
export interface EnsImpression {
  /** Needed only if another network's input looks the same. */
  network?: 'ens' | undefined
  /** The `id` from ENS's Fetch Campaigns endpoint: a positive integer. */
  campaignId: number
  /** The placement used to fetch the campaign, e.g. `header_banner`; 1 to 256 characters. */
  placement: string
  /**
   * The viewer's country, ISO 3166-1 alpha-2, e.g. `US`. Default: what the `country` option says. A
   * wrong value is logged, and the default is used.
   */
  location?: string | null | undefined
  /**
   * The viewer's device. Default: the `device` option, then the request's headers. A wrong value is
   * logged, and the default is used.
   */
  device?: Device | null | undefined
}

declare module './network.js' {
  interface ImpressionInputs {
    /** The input of ENS. */
    ens: EnsImpression
  }
}

/** The options of `ens()`. `flush` defaults to `'immediate'`, `connections` to 128. */
export type EnsOptions = BuiltInOptions

interface EnsItem {
  readonly campaignId: number
  readonly placement: string
  readonly location?: string | undefined
  readonly device?: Device | undefined
}

const PUBLISHED_HOST = 'https://ads.enslive.live'
const PATH = '/api/v1/campaigns/impression'
const MAX_PLACEMENT_CHARACTERS = 256

const schema = builtInSchema({ flush: 'immediate', connections: 128 })

/**
 * ENS: one call per impression, sent as it occurs. Its API: https://ads.enslive.live
 *
 * @throws {ConfigurationError} if an option is invalid, or no key is passed or in the environment
 */
export function ens(options: EnsOptions = {}): Network<EnsItem> {
  const { apiKey, ...settings } = resolveBuiltInOptions('ens', PUBLISHED_HOST, schema, options)
  refuseClosientKey(apiKey)
  const post = createJsonPost(PATH, { authorization: `Bearer ${apiKey}` })
  return defineNetwork<EnsItem>({
    ...settings,
    fields: ['placement', 'location', 'device'],
    match: ({ campaignId, placement }) => {
      if (typeof campaignId === 'number') return 'certain'
      return placement === undefined ? 'no' : 'likely'
    },
    parse,
    request: ([item]) => post(item),
    verdict,
  })
}

/** A key of Closient in the wrong variable must not become known to ENS. */
function refuseClosientKey(apiKey: string): void {
  if (!apiKey.startsWith('csb_')) return
  throw new ConfigurationError(
    'invalid-options',
    'ens(): apiKey: expected a key of ENS, got one that begins with csb_ like those of Closient: ' +
      'check ENS_API_KEY or ens({ apiKey })',
  )
}

function parse(fields: Fields, viewer: Viewer): Parsed<EnsItem> {
  const campaignId = parseCampaignId(fields.campaignId)
  const placement = parsePlacement(fields.placement)
  const ignored: InvalidImpressionError[] = []
  const location = parseLocation(fields.location, ignored) ?? viewer.country
  const device = parseDevice(fields.device, ignored) ?? viewer.device
  // With all fields, since adding some later would take more memory. JSON omits undefined ones.
  const item = { campaignId, placement, location, device }
  return { campaignId, item, placement, ignored }
}

function parseCampaignId(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value
  throw new InvalidImpressionError('campaignId', 'a positive integer', value)
}

function parsePlacement(value: unknown): string {
  if (
    typeof value === 'string' &&
    value.length <= MAX_PLACEMENT_CHARACTERS &&
    value.trim() !== '' &&
    value.isWellFormed() &&
    !/\p{Cc}/u.test(value)
  ) {
    return value
  }
  throw new InvalidImpressionError(
    'placement',
    `a placement id of 1 to ${MAX_PLACEMENT_CHARACTERS} printable characters`,
    value,
  )
}

function parseLocation(value: unknown, ignored: InvalidImpressionError[]): string | undefined {
  if (value == null) return undefined
  if (typeof value === 'string' && isCountryCode(value)) return value
  const expected = `an ISO 3166-1 alpha-2 country code such as US${suggestCountryCode(value)}`
  ignored.push(new InvalidImpressionError('location', expected, value))
  return undefined
}

/** Suggests the code that was probably meant: `UK` and `EL` are common, and are not ISO codes. */
function suggestCountryCode(value: unknown): string {
  if (typeof value !== 'string' || value.length !== 2) return ''
  const code = value.toUpperCase()
  if (code === 'UK') return ' (the United Kingdom is GB)'
  if (code === 'EL') return ' (Greece is GR)'
  return isCountryCode(code) ? ` (write ${code})` : ''
}

function parseDevice(value: unknown, ignored: InvalidImpressionError[]): Device | undefined {
  if (value == null) return undefined
  if (isDevice(value)) return value
  ignored.push(new InvalidImpressionError('device', "'mobile', 'desktop' or 'tablet'", value))
  return undefined
}

function verdict(answer: Answer): Verdict {
  const error = readError(answer)
  const onStatus = verdictOnStatus(answer, error)
  // An error with a 2xx status is still an error.
  return onStatus.kind === 'delivered' && error
    ? { kind: 'rejected', reason: onStatus.reason }
    : onStatus
}

/** ENS's error body, `{ status: 'error', message }`; `undefined` for any other body. */
function readError({ body: text }: Answer): NetworkError | undefined {
  // Every impression has an answer, and only an error is of interest: parsing each one is slow.
  if (!text.includes('"error"')) return undefined
  const body = parseJsonObject(text)
  if (body?.status !== 'error') return undefined
  return { message: typeof body.message === 'string' ? body.message : undefined }
}
