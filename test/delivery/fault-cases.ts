import { gzipSync } from 'node:zlib'
import type { Fault, FaultOptions } from '../../lib/sandbox/sandbox.js'

export interface FaultCase {
  readonly name: string
  readonly fault: Fault
  readonly options: FaultOptions
  /** The worst outcome of an affected impression. */
  readonly worstOutcome: 'delivered' | 'uncertain' | 'rejected'
}

const HTML = '<html><body><h1>Oops</h1></body></html>'

function createCase(
  name: string,
  worstOutcome: FaultCase['worstOutcome'],
  fault: Fault,
  times = 3,
): FaultCase {
  return { name, fault, options: { times }, worstOutcome }
}

/** One moment in the three forms of an HTTP date (RFC 9110 section 5.6.7). */
function formatHttpDates(atMs: number): Readonly<Record<string, string>> {
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

const CONNECTION_FAULTS: readonly FaultCase[] = [
  createCase('a reset before the request is read', 'uncertain', { reset: 'before-read' }),
  createCase('a reset after the request is read', 'uncertain', { reset: 'after-read' }),
  createCase('a reset of a request that is not counted', 'uncertain', {
    reset: 'after-read',
    counts: false,
  }),
  createCase('a reset in the middle of a 200', 'delivered', { reset: 'mid-answer' }),
  createCase('a reset in the middle of a 503', 'uncertain', { reset: 'mid-answer', status: 503 }),
  createCase('a truncated answer', 'delivered', { cutOff: true }),
  createCase('a hang', 'uncertain', { hang: true }),
  createCase('a hang of a request that is not counted', 'uncertain', { hang: true, counts: false }),
  createCase('a late answer', 'delivered', { delayMs: 60 }),
  createCase('an answer after the timeout', 'uncertain', { delayMs: 2_000 }, 2),
  createCase('an answer that is not HTTP', 'uncertain', { raw: 'SSH-2.0-OpenSSH_9.2\r\n' }),
  createCase('a connection that is closed without an answer', 'uncertain', { raw: '' }),
  createCase('truncated response headers', 'uncertain', { raw: 'HTTP/1.1 200 OK\r\nConte' }),
  createCase('a connection that is closed after the answer', 'delivered', {
    headers: { connection: 'close' },
  }),
]

const STATUS_FAULTS: readonly FaultCase[] = [
  createCase('a 408', 'delivered', { status: 408 }),
  createCase('a 413', 'rejected', { status: 413 }),
  createCase('a 422', 'rejected', { status: 422 }),
  createCase('a 404', 'rejected', { status: 404 }),
  createCase('a 400', 'rejected', { status: 400 }),
  createCase('a 401', 'delivered', { status: 401 }, 1),
  createCase('a 403', 'delivered', { status: 403 }, 1),
  createCase('a redirect', 'delivered', { status: 302, headers: { location: '/login' } }, 1),
  createCase('a 503', 'delivered', { status: 503 }),
  createCase('a 503 with Retry-After', 'delivered', {
    status: 503,
    headers: { 'retry-after': '2' },
  }),
  createCase('a 500 in the network’s own format', 'delivered', { status: 500 }),
  createCase('a 500 with an empty body', 'delivered', { status: 500, body: '' }),
  createCase('a 500 with an HTML page', 'delivered', { status: 500, body: HTML }),
  createCase('a 502 of a gateway after the network counted', 'uncertain', {
    status: 502,
    counts: true,
  }),
  createCase('a 502 of a gateway that did not reach the network', 'uncertain', { status: 502 }),
  createCase('a 504 of a gateway', 'uncertain', { status: 504, counts: true }),
  createCase('a 200 that is not JSON', 'delivered', { status: 200, body: HTML }),
  createCase('a 200 with an empty body', 'delivered', { status: 200, body: '' }),
  createCase('a 204', 'delivered', { status: 204, body: '' }),
]

/** What a gateway in front of the network says, without any of the network's own headers. */
function createGatewayFault(status: number, counts = false): Fault {
  const headers = { 'content-type': 'text/html', 'retry-after': null }
  return { status, headers, body: HTML, counts }
}

/** Both networks accept the first body and refuse the second one. */
const ACCEPTED = '{"status":"success","success":true}'
const REFUSED = '{"status":"error","success":false}'

/** @param body each character is one byte */
function formatRawAnswer(body: string, headers = ''): string {
  return `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n${headers}\r\n${body}`
}

function formatCompressedAnswer(body: string): string {
  return formatRawAnswer(gzipSync(body).toString('latin1'), 'content-encoding: gzip\r\n')
}

const GATEWAY_FAULTS: readonly FaultCase[] = [
  createCase(
    'a 503 of a gateway after the network counted',
    'uncertain',
    createGatewayFault(503, true),
  ),
  createCase(
    'a 503 of a gateway that did not reach the network',
    'uncertain',
    createGatewayFault(503),
  ),
  createCase('a 403 of a firewall', 'delivered', createGatewayFault(403), 2),
  createCase('a 404 of a router', 'delivered', createGatewayFault(404), 1),
  createCase('a 405 of a router', 'delivered', createGatewayFault(405), 1),
  createCase('an unrequested 100 Continue', 'delivered', {
    raw: `HTTP/1.1 100 Continue\r\n\r\n${formatRawAnswer(ACCEPTED)}`,
  }),
  createCase('a compressed answer', 'delivered', { raw: formatCompressedAnswer(ACCEPTED) }),
  createCase('a compressed answer that reports an error', 'rejected', {
    raw: formatCompressedAnswer(REFUSED),
    counts: false,
  }),
  createCase('an answer of 25 MB', 'delivered', { body: 'x'.repeat(25_000_000) }),
]

function createRateLimitFaults(nowMs: number): readonly FaultCase[] {
  const createCaseOf429 = (name: string, retryAfter: string | null) =>
    createCase(`a 429 ${name}`, 'delivered', {
      status: 429,
      headers: { 'retry-after': retryAfter },
    })
  return [
    createCaseOf429('without Retry-After', null),
    createCaseOf429('with Retry-After', '2'),
    ...Object.entries(formatHttpDates(nowMs + 2_000)).map(([form, date]) =>
      createCaseOf429(`with Retry-After as ${form}`, date),
    ),
    createCaseOf429('with an invalid Retry-After', 'in a while'),
    createCase('a 429 with a Unix time as RateLimit-Reset', 'delivered', {
      status: 429,
      headers: {
        'retry-after': null,
        'ratelimit-remaining': '0',
        'ratelimit-reset': String(Math.ceil(nowMs / 1_000) + 2),
      },
    }),
    createCase('invalid rate limit headers', 'delivered', {
      headers: {
        'ratelimit-policy': 'x;w=,;;=',
        'ratelimit-limit': '-5',
        'ratelimit-remaining': 'many',
        'ratelimit-reset': '1e99',
      },
    }),
  ]
}

/** The faults of a network that the sandbox can simulate. */
export function createFaultCases(nowMs: number): readonly FaultCase[] {
  return [
    ...CONNECTION_FAULTS,
    ...STATUS_FAULTS,
    ...GATEWAY_FAULTS,
    ...createRateLimitFaults(nowMs),
  ]
}

/** Each network's own form of an error with status 200. */
export const FALSE_SUCCESSES = {
  ens: { status: 200, body: { status: 'error', message: 'no such campaign' }, counts: false },
  closient: { status: 200, body: { success: false, count: 0 }, counts: false },
} as const satisfies Readonly<Record<string, Fault>>
