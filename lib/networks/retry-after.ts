import type { Answer } from './answer.js'

/**
 * `Retry-After` in milliseconds: a number of seconds, or an HTTP-date in any of its three forms
 * (RFC 9110 section 5.6.7). A date is compared with the answer's own `Date`, so that a wrong clock
 * on this machine does not matter. `undefined` if the header is missing or malformed.
 */
export function readRetryAfter(answer: Answer): number | undefined {
  const value = answer.headers['retry-after']
  if (typeof value !== 'string') return undefined
  if (/^\d+$/.test(value)) return Number(value) * 1_000
  const untilMs = parseHttpDate(value)
  if (untilMs === undefined) return undefined
  return Math.max(0, untilMs - readDate(answer))
}

/** `RateLimit-Reset` of a 429 in milliseconds: the time until the exhausted quota is restored. */
export function readQuotaReset({ status, headers }: Answer): number | undefined {
  const value = headers['ratelimit-reset']
  if (status !== 429 || typeof value !== 'string' || !/^\d+$/.test(value)) return undefined
  return Number(value) * 1_000
}

/**
 * When the answer was sent by the network's clock (`Date`), in milliseconds since the Unix epoch.
 * Without a valid `Date`, when it arrived by ours.
 */
export function readDate({ headers, atMs }: Answer): number {
  const sentMs = typeof headers.date === 'string' ? parseHttpDate(headers.date) : undefined
  return sentMs ?? atMs
}

const IMF_FIXDATE = /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/
const RFC_850 = /^[A-Z][a-z]{5,8}, \d\d-[A-Z][a-z]{2}-\d\d \d\d:\d\d:\d\d GMT$/
const ASCTIME = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}$/

function parseHttpDate(text: string): number | undefined {
  if (IMF_FIXDATE.test(text) || RFC_850.test(text)) return parseDate(text)
  // The asctime form names no time zone and means GMT. Date.parse would assume local time.
  return ASCTIME.test(text) ? parseDate(`${text} GMT`) : undefined
}

/** Only for text that looks like a date: Date.parse accepts almost anything with a number in it. */
function parseDate(text: string): number | undefined {
  const ms = Date.parse(text)
  return Number.isNaN(ms) ? undefined : ms
}
