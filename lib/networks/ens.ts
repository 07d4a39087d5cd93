import { checkOptions } from '../check-options.js'
import { InvalidImpressionError } from '../errors.js'
import { isCountryCode } from '../viewer/country.js'
import { type Device, isDevice } from '../viewer/device.js'
import type { Viewer } from '../viewer/viewer.js'
import { builtInSchema, resolveApiKey, resolveBaseUrl } from './built-in.js'
import type { BuiltInOptions } from './built-in-options.js'
import { defineNetwork } from './define-network.js'
import { parseJsonObject } from './json.js'
import type { Fields, Network, Parsed } from './network.js'
import type { Answer, NetworkError, Verdict } from './verdict.js'
import { verdictOnStatus } from './verdict.js'

/** An impression for ENS, as `ens.txt` names its body parameters. */
export interface EnsImpression {
  network?: 'ens' | undefined
  /** The `id` of the campaign that ENS's Fetch Campaigns endpoint gave: a positive integer. */
  campaignId: number
  /** The placement with which the campaign was fetched, e.g. `header_banner`; at most 256 characters. */
  placement: string
  /** The viewer's country, ISO 3166-1 alpha-2, e.g. `US`. Default: the `country` option's. */
  location?: string | undefined
  /** Default: the `device` option's, or what the request's headers tell. */
  device?: Device | undefined
}

declare module './network.js' {
  interface ImpressionInputs {
    ens: EnsImpression
  }
}

/** Flush default: `'immediate'`. Connections: at most 128. */
export type EnsOptions = BuiltInOptions

interface EnsItem {
  readonly campaignId: number
  readonly placement: string
  location?: string
  device?: Device
}

const PUBLISHED_HOST = 'https://ads.enslive.live'
const PATH = '/api/v1/campaigns/impression'
const MAX_CONNECTIONS = 128
const MAX_PLACEMENT_CHARACTERS = 256

/**
 * ENS: one call per impression, as it occurs (`ens.txt`).
 *
 * @throws {ConfigurationError} if an option is wrong, or no key is given or in the environment
 */
export function ens(options: EnsOptions = {}): Network<EnsItem> {
  const checked = checkOptions('ens()', builtInSchema(MAX_CONNECTIONS), options)
  const headers = Object.freeze({
    authorization: `Bearer ${resolveApiKey('ens', checked.apiKey)}`,
    'content-type': 'application/json',
  })
  return defineNetwork<EnsItem>({
    name: 'ens',
    baseUrl: resolveBaseUrl('ens', checked.baseUrl, PUBLISHED_HOST),
    flush: checked.flush ?? 'immediate',
    onUncertain: checked.onUncertain,
    connections: checked.connections ?? MAX_CONNECTIONS,
    fields: ['placement', 'location', 'device'],
    match: ({ campaignId, placement }) => {
      if (typeof campaignId === 'number') return 'certain'
      return placement === undefined ? 'no' : 'likely'
    },
    parse,
    request: ([item]) => ({ method: 'POST', path: PATH, headers, body: JSON.stringify(item) }),
    verdict,
  })
}

function parse(fields: Fields, viewer: Viewer): Parsed<EnsItem> {
  const campaignId = parseCampaignId(fields.campaignId)
  const location = parseLocation(fields.location) ?? viewer.country
  const device = parseDevice(fields.device) ?? viewer.device
  const item: EnsItem = { campaignId, placement: parsePlacement(fields.placement) }
  if (location) item.location = location
  if (device) item.device = device
  return { campaignId, item }
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

function parseLocation(value: unknown): string | undefined {
  if (value === undefined || (typeof value === 'string' && isCountryCode(value))) return value
  throw new InvalidImpressionError(
    'location',
    `an ISO 3166-1 alpha-2 country code such as US${hintFor(value)}`,
    value,
  )
}

/** The code that was meant, where a wrong one tells: these two are what people and the EU write. */
function hintFor(value: unknown): string {
  if (typeof value !== 'string' || value.length !== 2) return ''
  const code = value.toUpperCase()
  if (code === 'UK') return ' (the United Kingdom is GB)'
  if (code === 'EL') return ' (Greece is GR)'
  return isCountryCode(code) ? ` (write ${code})` : ''
}

function parseDevice(value: unknown): Device | undefined {
  if (value === undefined || isDevice(value)) return value
  throw new InvalidImpressionError('device', "'mobile', 'desktop' or 'tablet'", value)
}

function verdict(answer: Answer): Verdict {
  // Nothing else of an answer matters, and to parse each took a seventh of delivery's own time.
  const body = answer.body.includes('"error"') ? parseJsonObject(answer.body) : undefined
  const isError = body?.status === 'error'
  const word: NetworkError | undefined = isError
    ? { message: typeof body.message === 'string' ? body.message : undefined }
    : undefined
  const onStatus = verdictOnStatus(answer, word)
  return onStatus.kind === 'delivered' && isError
    ? { kind: 'rejected', reason: onStatus.reason }
    : onStatus
}
