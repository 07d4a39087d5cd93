import type { Answer } from '../../networks/answer.js'
import type { QuotaWindow } from '../../networks/network.js'
import { LONGEST_DELAY_SECONDS, toDelaySeconds } from '../../networks/retry-after.js'

/** What an answer says is left of a quota. */
export interface Remaining {
  /** Calls left. */
  readonly calls: number
  /** When the quota resets, in milliseconds since the Unix epoch. */
  readonly untilMs: number
  /** The quota, if the answer names it. */
  readonly limit: number | undefined
  /** The length of its window in milliseconds, if the answer names it. */
  readonly windowMs: number | undefined
}

/** What an answer's headers say about the network's quotas. */
export interface RateLimits {
  /** The windows that the answer names, each length once. */
  readonly windows: readonly QuotaWindow[]
  /** Whether `windows` is the whole policy of the answer: no part of it was ignored. */
  readonly isWholePolicy: boolean
  readonly remaining: readonly Remaining[]
}

type HeaderValue = Answer['headers'][string]

/** A quota policy or service limit in the form of the drafts since 08: a name and parameters. */
interface PolicyItem {
  readonly name: string
  readonly parameters: ReadonlyMap<string, string>
}

/** A longer header is ignored. */
const MAX_CHARACTERS = 1_024
const MAX_REPETITIONS = 8
const MAX_WINDOWS = 8

/**
 * Reads `RateLimit-Policy`, `RateLimit-Limit`, `-Remaining` and `-Reset` (see docs/networks.md), the
 * combined `RateLimit` of the IETF drafts (draft-ietf-httpapi-ratelimit-headers, 07 and since 08),
 * and, if none of these says what is left, the `X-RateLimit-*` aliases. Each value that makes no
 * sense is ignored by itself.
 */
export function readRateLimits(answer: Answer): RateLimits {
  const { headers } = answer
  const policy = parseItems(headers['ratelimit-policy'])
  // Before draft 05 the policy came after the limit: `RateLimit-Limit: 100, 100;w=60`.
  const items = policy.length > 0 ? policy : parseItems(headers['ratelimit-limit']).slice(1)
  const named = items.map(parseQuota)
  const windows = named.filter((quota) => quota !== undefined)
  const quotaByName = new Map(items.map(({ name }, place) => [name, named[place]]))

  const remaining = [
    ...readSeparateFields(answer, 'ratelimit-'),
    ...readDraft08(answer, quotaByName),
    ...readDraft07(answer),
  ]
  if (remaining.length === 0) remaining.push(...readSeparateFields(answer, 'x-ratelimit-'))
  return {
    windows: tightest(windows).slice(0, MAX_WINDOWS),
    isWholePolicy: windows.length === items.length && windows.length <= MAX_WINDOWS,
    remaining: remaining.slice(0, MAX_WINDOWS),
  }
}

/**
 * `300;w=60`, or since draft 08 `"default";q=300;w=60`. Ignored are quotas of other units than
 * requests, and a quota of 0, after which no call would ever learn of a higher one.
 */
function parseQuota({ name, parameters }: PolicyItem): QuotaWindow | undefined {
  const limit = parseNatural(parameters.get('q')) ?? parseNatural(name)
  const seconds = parseNatural(parameters.get('w'))
  const isOfCalls = /^requests?$/.test(parameters.get('qu') ?? 'requests')
  if (!isOfCalls || !limit || !seconds || seconds > LONGEST_DELAY_SECONDS) return undefined
  return { limit, windowMs: seconds * 1_000 }
}

/** Of several quotas for the same window, the lowest applies. */
function tightest(quotas: readonly QuotaWindow[]): QuotaWindow[] {
  const byLength = new Map<number, QuotaWindow>()
  for (const quota of quotas) {
    const known = byLength.get(quota.windowMs)
    if (!known || quota.limit < known.limit) byLength.set(quota.windowMs, quota)
  }
  return [...byLength.values()]
}

/** `"default";r=50;t=30`, since draft 08. Without `t`, the quota resets after its window. */
function readDraft08(
  answer: Answer,
  quotaByName: ReadonlyMap<string, QuotaWindow | undefined>,
): Remaining[] {
  return parseItems(answer.headers.ratelimit).flatMap(({ name, parameters }) => {
    // An ignored policy counts something other than calls.
    if (quotaByName.has(name) && quotaByName.get(name) === undefined) return []
    const quota = quotaByName.get(name)
    const windowSeconds = quota && quota.windowMs / 1_000
    const seconds = parameters.has('t') ? parseNatural(parameters.get('t')) : windowSeconds
    return toRemaining(parseNatural(parameters.get('r')), seconds, answer, quota)
  })
}

/** `limit=100, remaining=50, reset=30`, in draft 07. */
function readDraft07(answer: Answer): Remaining[] {
  const members = new Map<string, number | undefined>()
  for (const { name } of parseItems(answer.headers.ratelimit)) {
    const [key = '', number] = name.split('=', 2)
    members.set(key, parseNatural(number))
  }
  const limit = members.get('limit')
  return toRemaining(members.get('remaining'), members.get('reset'), answer, { limit })
}

/**
 * `-Limit`, `-Remaining` and `-Reset`, each a header of its own. If a second rate limiter on the
 * path has added its own values, the n-th values belong together.
 */
function readSeparateFields(answer: Answer, prefix: 'ratelimit-' | 'x-ratelimit-'): Remaining[] {
  const { headers } = answer
  const limits = parseNaturals(headers[`${prefix}limit`])
  const resets = parseNaturals(headers[`${prefix}reset`])
  const remaining = parseNaturals(headers[`${prefix}remaining`])
  return remaining.flatMap((calls, place) => {
    // A single reset or limit applies to all.
    const reset = resets[resets.length === 1 ? 0 : place]
    const limit = limits[limits.length === remaining.length ? place : 0]
    return toRemaining(calls, reset, answer, { limit })
  })
}

function toRemaining(
  calls: number | undefined,
  reset: number | undefined,
  answer: Answer,
  { limit, windowMs }: { limit?: number | undefined; windowMs?: number } = {},
): Remaining[] {
  const seconds = reset === undefined ? undefined : toDelaySeconds(reset, answer)
  if (calls === undefined || seconds === undefined) return []
  const untilMs = answer.atMs + seconds * 1_000
  return [{ calls, untilMs, limit: limit || undefined, windowMs }]
}

/** The members of a list, which may span several headers. */
function parseItems(value: HeaderValue): PolicyItem[] {
  return parseMembers(value).map((member) => {
    const [name = '', ...rest] = split(member, ';')
    const parameters = rest.map((part): [string, string] => {
      const equals = part.indexOf('=')
      return equals < 0 ? [part, ''] : [part.slice(0, equals), unquote(part.slice(equals + 1))]
    })
    return { name: unquote(name), parameters: new Map(parameters) }
  })
}

function parseNaturals(value: HeaderValue): (number | undefined)[] {
  return parseMembers(value).map((member) => parseNatural(split(member, ';')[0]))
}

function parseMembers(value: HeaderValue): string[] {
  const values = typeof value === 'string' ? [value] : (value ?? []).slice(0, MAX_REPETITIONS)
  const isShort = values.every(({ length }) => length <= MAX_CHARACTERS)
  return isShort ? values.flatMap((text) => split(text, ',')).filter(Boolean) : []
}

/** Splits at a separator, except within a quoted string (RFC 9651 section 3.3.3). */
function split(text: string, separator: string): string[] {
  const parts: string[] = []
  let start = 0
  let isQuoted = false
  for (let place = 0; place < text.length; place += 1) {
    const character = text[place]
    if (character === '"') isQuoted = !isQuoted
    else if (character === '\\' && isQuoted) place += 1
    else if (character === separator && !isQuoted) {
      parts.push(text.slice(start, place).trim())
      start = place + 1
    }
  }
  parts.push(text.slice(start).trim())
  return parts
}

function unquote(text: string): string {
  return /^".*"$/.test(text) ? text.slice(1, -1) : text
}

function parseNatural(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,12}$/.test(text) ? Number(text) : undefined
}
