import type { Fault, FaultOptions } from '../../lib/sandbox/sandbox.js'

/** What a fault may cost at most: impressions are delivered all the same, or end so. */
export type Cost = 'nothing' | 'uncertain' | 'rejected'

export interface FaultKind {
  readonly name: string
  readonly fault: Fault
  readonly options: FaultOptions
  readonly cost: Cost
}

const PAGE = '<html><body><h1>Oops</h1></body></html>'

function kind(name: string, cost: Cost, fault: Fault, times = 3): FaultKind {
  return { name, fault, options: { times }, cost }
}

/** The three forms of an HTTP-date (RFC 9110 section 5.6.7), all of the same moment. */
function httpDates(atMs: number) {
  const date = new Date(atMs)
  const utc = date.toUTCString()
  const [, day = '', month = '', year = '', time = ''] = utc.split(' ')
  const weekday = date.toLocaleDateString('en-US', { weekday: 'long', timeZone: 'UTC' })
  return {
    'an IMF-fixdate': utc,
    'an RFC 850 date': `${weekday}, ${day}-${month}-${year.slice(2)} ${time} GMT`,
    'an asctime date': `${utc.slice(0, 3)} ${month} ${`${Number(day)}`.padStart(2)} ${time} ${year}`,
  }
}

/** Kinds of fault that a network can meet its callers with, all of which the sandbox can play. */
export function faultKinds(nowMs: number): readonly FaultKind[] {
  const dated = Object.entries(httpDates(nowMs + 2_000)).map(([form, date]) =>
    kind(`a 429 with Retry-After as ${form}`, 'nothing', {
      status: 429,
      headers: { 'retry-after': date },
    }),
  )
  const later = { 'retry-after': '2' }
  const never = { 'retry-after': null }
  return [
    kind('a reset before a byte was read', 'uncertain', { reset: 'before-read' }),
    kind('a reset after the request was read', 'uncertain', { reset: 'after-read' }),
    kind('a reset of a request that did not count', 'uncertain', {
      reset: 'after-read',
      counts: false,
    }),
    kind('a reset mid-answer', 'nothing', { reset: 'mid-answer' }),
    kind('a reset in the middle of a refusal', 'uncertain', { reset: 'mid-answer', status: 503 }),
    kind('an answer cut off', 'nothing', { cutOff: true }),
    kind('a hang', 'uncertain', { hang: true }),
    kind('a hang without counting', 'uncertain', { hang: true, counts: false }),
    kind('a late answer', 'nothing', { delayMs: 60 }),
    kind('an answer later than the time-out', 'uncertain', { delayMs: 2_000 }, 2),
    kind('what is not HTTP', 'uncertain', { raw: 'SSH-2.0-OpenSSH_9.2\r\n' }),
    kind('a connection closed without a word', 'uncertain', { raw: '' }),
    kind('a head that breaks off', 'uncertain', { raw: 'HTTP/1.1 200 OK\r\nConte' }),
    kind('a 408', 'nothing', { status: 408 }),
    kind('a 413', 'rejected', { status: 413 }),
    kind('a 422', 'rejected', { status: 422 }),
    kind('a 404', 'rejected', { status: 404 }),
    kind('a 400', 'rejected', { status: 400 }),
    kind('a 401', 'nothing', { status: 401 }, 1),
    kind('a 403', 'nothing', { status: 403 }, 1),
    kind('a redirect', 'nothing', { status: 302, headers: { location: '/login' } }, 1),
    kind('a 429 without Retry-After', 'nothing', { status: 429, headers: never }),
    kind('a 429 with Retry-After', 'nothing', { status: 429, headers: later }),
    ...dated,
    kind('a 429 with nonsense for Retry-After', 'nothing', {
      status: 429,
      headers: { 'retry-after': 'in a while' },
    }),
    kind('a 503', 'nothing', { status: 503 }),
    kind('a 503 with Retry-After', 'nothing', { status: 503, headers: later }),
    kind('a 500 in the network’s own words', 'nothing', { status: 500 }),
    kind('a 500 without a word', 'nothing', { status: 500, body: '' }),
    kind('a 500 with a page', 'nothing', { status: 500, body: PAGE }),
    kind('a 502 of a gateway', 'uncertain', { status: 502, counts: true }),
    kind('a 502 of a gateway that reached nobody', 'uncertain', { status: 502 }),
    kind('a 504 of a gateway', 'uncertain', { status: 504, counts: true }),
    kind('a 200 that is not JSON', 'nothing', { status: 200, body: PAGE }),
    kind('a 200 without a body', 'nothing', { status: 200, body: '' }),
    kind('a 204', 'nothing', { status: 204, body: '' }),
    kind('rate-limit headers that make no sense', 'nothing', {
      headers: {
        'ratelimit-policy': 'x;w=,;;=',
        'ratelimit-limit': '-5',
        'ratelimit-remaining': 'many',
        'ratelimit-reset': '1e99',
      },
    }),
    kind('a connection that is closed after the answer', 'nothing', {
      headers: { connection: 'close' },
    }),
  ]
}

/** A success in name, which each network words in its own way. */
export const HOLLOW_SUCCESSES = {
  ens: { status: 200, body: { status: 'error', message: 'no such campaign' }, counts: false },
  closient: { status: 200, body: { success: false, count: 0 }, counts: false },
} as const satisfies Readonly<Record<string, Fault>>
