import type { QuotaWindow } from '../networks/network.js'
import { type Answer, dateOf } from './verdict.js'

/** What an answer says is left of some quota. */
export interface Remaining {
  /** Calls left; */
  readonly calls: number
  /** until this time, in milliseconds since the Unix epoch; */
  readonly untilMs: number
  /** of so many, where the answer tells. */
  readonly limit: number | undefined
}

/** What an answer's headers say of the network's quotas. */
export interface RateLimits {
  /** Every active window; empty where the answer does not tell. */
  readonly windows: readonly QuotaWindow[]
  readonly remaining: readonly Remaining[]
}

const MAX_HEADER_CHARACTERS = 1_024
const MAX_WINDOWS = 8
const MAX_SECONDS = 366 * 86_400

/**
 * Reads `RateLimit-Policy`, `RateLimit-Limit`, `-Remaining` and `-Reset` (`closient.txt`), the
 * combined `RateLimit` of the IETF drafts (draft-ietf-httpapi-ratelimit-headers, 07 and since 08),
 * and, where none of these tells, the `X-RateLimit-*` aliases. What makes no sense is ignored, each
 * value by itself.
 */
export function readRateLimits(answer: Answer): RateLimits {
  const { headers, atMs } = answer
  const limit = natural(headers['ratelimit-limit'])
  const plain = remainingOf(headers['ratelimit-remaining'], headers['ratelimit-reset'], limit, atMs)
  const remaining = membersOf(headers.ratelimit).flatMap((text) => combined(text, atMs))
  const drafted = plain ?? remainingOfDraft07(headers.ratelimit, atMs)
  if (drafted) remaining.push(drafted)
  if (remaining.length === 0) {
    const alias = remainingOfAliases(answer)
    if (alias) remaining.push(alias)
  }
  const windows = membersOf(headers['ratelimit-policy']).flatMap(policy).slice(0, MAX_WINDOWS)
  return { windows, remaining }
}

/** `300;w=60`, or since draft 08 `"default";q=300;w=60`. */
function policy(member: string): QuotaWindow[] {
  const limit = natural(/^(\d+) *;/.exec(member)?.[1] ?? parameter(member, 'q'))
  const seconds = natural(parameter(member, 'w'))
  return limit && seconds && seconds <= MAX_SECONDS ? [{ limit, windowMs: seconds * 1_000 }] : []
}

/** `"default";r=50;t=30`, since draft 08. */
function combined(member: string, atMs: number): Remaining[] {
  const found = remainingOf(parameter(member, 'r'), parameter(member, 't'), undefined, atMs)
  return found ? [found] : []
}

/** `limit=100, remaining=50, reset=30`, in draft 07. */
function remainingOfDraft07(value: Answer['headers'][string], atMs: number): Remaining | undefined {
  const members = new Map(membersOf(value).map((text) => text.split('=', 2) as [string, string]))
  return remainingOf(
    members.get('remaining'),
    members.get('reset'),
    natural(members.get('limit')),
    atMs,
  )
}

/** The aliases' reset is a Unix time in seconds: it is read against the answer's own `Date`. */
function remainingOfAliases(answer: Answer): Remaining | undefined {
  const { headers, atMs } = answer
  const resetSeconds = natural(headers['x-ratelimit-reset'])
  if (resetSeconds === undefined) return undefined
  const inSeconds = Math.max(0, Math.ceil(resetSeconds - dateOf(answer) / 1_000))
  return remainingOf(
    headers['x-ratelimit-remaining'],
    String(inSeconds),
    natural(headers['x-ratelimit-limit']),
    atMs,
  )
}

function remainingOf(
  remaining: Answer['headers'][string],
  reset: Answer['headers'][string],
  limit: number | undefined,
  atMs: number,
): Remaining | undefined {
  const calls = natural(remaining)
  const seconds = natural(reset)
  if (calls === undefined || seconds === undefined || seconds > MAX_SECONDS) return undefined
  return { calls, untilMs: atMs + seconds * 1_000, limit }
}

function membersOf(value: Answer['headers'][string]): string[] {
  const text = Array.isArray(value) ? value.join(',') : (value ?? '')
  if (text.length > MAX_HEADER_CHARACTERS) return []
  return text.split(',').map((member) => member.trim())
}

function parameter(member: string, name: string): string | undefined {
  for (const part of member.split(';').slice(1)) {
    const [key, value] = part.trim().split('=', 2)
    if (key === name) return value
  }
  return undefined
}

function natural(value: Answer['headers'][string]): number | undefined {
  return typeof value === 'string' && /^\d{1,12}$/.test(value) ? Number(value) : undefined
}
