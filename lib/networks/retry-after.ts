import type { Answer } from './answer.js'

/** A longer delay makes no sense: 366 days. */
export const LONGEST_DELAY_SECONDS = 366 * 86_400

/**
 * `Retry-After` in milliseconds: a number of seconds, or an HTTP-date in any of its three forms
 * (RFC 9110 section 5.6.7). A date is compared with the answer's own `Date`, so that a wrong clock
 * on this machine does not matter. Of several values the longest counts. `undefined` if the header
 * is missing or makes no sense.
 */
export function readRetryAfter(answer: Answer): number | undefined {
  const delays = listValues(answer, 'retry-after')
    .map((value) => readDelay(value, answer) ?? readDateDelay(value, answer))
    .filter((delayMs) => delayMs !== undefined)
  return delays.length > 0 ? Math.max(...delays) : undefined
}

/** `RateLimit-Reset` of a 429 in milliseconds: the time until the exhausted quota is restored. */
export function readQuotaReset(answer: Answer): number | undefined {
  if (answer.status !== 429) return undefined
  const delays = listValues(answer, 'ratelimit-reset')
    .flatMap((value) => value.split(','))
    .map((value) => readDelay(value.trim(), answer))
    .filter((delayMs) => delayMs !== undefined)
  return delays.length > 0 ? Math.max(...delays) : undefined
}

/**
 * A number of seconds as a delay in seconds. A number too large for a delay is read as a Unix time,
 * which some networks send instead, and compared with the network's own clock.
 */
export function toDelaySeconds(seconds: number, answer: Answer): number | undefined {
  if (seconds <= LONGEST_DELAY_SECONDS) return seconds
  const delaySeconds = Math.ceil(seconds - readDate(answer) / 1_000)
  return Math.abs(delaySeconds) <= LONGEST_DELAY_SECONDS ? Math.max(0, delaySeconds) : undefined
}

function listValues({ headers }: Answer, name: string): readonly string[] {
  const value = headers[name]
  return value === undefined ? [] : [value].flat()
}

function readDelay(value: string, answer: Answer): number | undefined {
  if (!/^\d{1,12}$/.test(value)) return undefined
  const seconds = toDelaySeconds(Number(value), answer)
  return seconds === undefined ? undefined : seconds * 1_000
}

function readDateDelay(value: string, answer: Answer): number | undefined {
  const untilMs = parseHttpDate(value)
  if (untilMs === undefined) return undefined
  const delayMs = Math.max(0, untilMs - readDate(answer))
  return delayMs <= LONGEST_DELAY_SECONDS * 1_000 ? delayMs : undefined
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
  // Date.parse makes March 3 of February 31.
  const hasDay = new RegExp(`\\b0?${new Date(ms).getUTCDate()}\\b`).test(text)
  return Number.isNaN(ms) || !hasDay ? undefined : ms
}
