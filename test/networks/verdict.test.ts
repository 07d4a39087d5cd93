import assert from 'node:assert/strict'
import type { Answer } from '../../lib/networks/answer.js'
import { closient } from '../../lib/networks/closient.js'
import { ens } from '../../lib/networks/ens.js'
import { type Verdict, verdictOnError } from '../../lib/networks/verdict.js'

const AT_MS = Date.UTC(2026, 0, 1, 12)

const networks = [ens({ apiKey: 'key' }), closient({ apiKey: 'csb_key' })]
const [ensNetwork, closientNetwork] = networks as [(typeof networks)[0], (typeof networks)[1]]

function answer(status: number, body: unknown = '', headers: Answer['headers'] = {}): Answer {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return { status, headers, body: text, atMs: AT_MS }
}

function problem(status: number, more: object = {}): object {
  return { type: 'about:blank', title: 'Failed', status, error_code: 'failed', ...more }
}

type Row = readonly [title: string, answer: Answer, kind: Verdict['kind'], waitMs?: number]

const GATEWAY_PAGE = '<html><body><h1>Bad Gateway</h1></body></html>'

/** Answers that mean the same from both networks. */
const COMMON: readonly Row[] = [
  ['200 with an empty body', answer(200), 'delivered'],
  ['200 that is not JSON', answer(200, 'OK'), 'delivered'],
  ['200 with a truncated body', answer(200, '{"status":"err'), 'delivered'],
  ['200 with an array', answer(200, []), 'delivered'],
  ['204', answer(204), 'delivered'],
  ['202', answer(202), 'delivered'],
  ['301', answer(301, '', { location: '/' }), 'misconfigured'],
  ['401', answer(401), 'suspect'],
  ["403 with a firewall's page", answer(403, GATEWAY_PAGE), 'suspect'],
  ['400', answer(400), 'rejected'],
  ["405 with a router's page", answer(405, GATEWAY_PAGE), 'misconfigured'],
  ['410', answer(410), 'rejected'],
  ['415', answer(415), 'rejected'],
  ["404 with a router's text", answer(404, '404 page not found'), 'misconfigured'],
  ['413', answer(413), 'split'],
  ['422', answer(422), 'split'],
  ['408', answer(408), 'retry'],
  ['425', answer(425), 'retry'],
  ['429', answer(429), 'retry'],
  ['429 with Retry-After', answer(429, '', { 'retry-after': '2' }), 'retry', 2_000],
  ['429 with RateLimit-Reset', answer(429, '', { 'ratelimit-reset': '7' }), 'retry', 7_000],
  [
    '429 with both, of which the longer counts',
    answer(429, '', { 'retry-after': '2', 'ratelimit-reset': '7' }),
    'retry',
    7_000,
  ],
  [
    '429 with a RateLimit-Reset that is a Unix time',
    answer(429, '', { 'ratelimit-reset': String(AT_MS / 1_000 + 9) }),
    'retry',
    9_000,
  ],
  [
    '429 with the RateLimit-Resets of two rate limiters',
    answer(429, '', { 'ratelimit-reset': '3, 60' }),
    'retry',
    60_000,
  ],
  ['429 with a malformed Retry-After', answer(429, '', { 'retry-after': 'soon' }), 'retry'],
  ['500', answer(500), 'retry'],
  ['500 with Retry-After', answer(500, '', { 'retry-after': '3' }), 'retry', 3_000],
  ['500 with RateLimit-Reset', answer(500, '', { 'ratelimit-reset': '3' }), 'retry'],
  ['500 with a page', answer(500, GATEWAY_PAGE), 'retry'],
  ['501', answer(501), 'retry'],
  ["503 with a gateway's text", answer(503, 'upstream connect error'), 'uncertain'],
  ["503 with another network's problem", answer(503, { message: 'no' }), 'uncertain'],
  ['502 with Retry-After', answer(502, GATEWAY_PAGE, { 'retry-after': '1' }), 'retry', 1_000],
  [
    '503 with an IMF-fixdate',
    answer(503, '', { 'retry-after': 'Thu, 01 Jan 2026 12:00:05 GMT' }),
    'retry',
    5_000,
  ],
  [
    '503 with an RFC 850 date',
    answer(503, '', { 'retry-after': 'Thursday, 01-Jan-26 12:00:05 GMT' }),
    'retry',
    5_000,
  ],
  [
    '503 with an asctime date',
    answer(503, '', { 'retry-after': 'Thu Jan  1 12:00:05 2026' }),
    'retry',
    5_000,
  ],
  [
    '503 with a date, relative to Date',
    answer(503, '', {
      date: 'Thu, 01 Jan 2026 09:00:00 GMT',
      'retry-after': 'Thu, 01 Jan 2026 09:00:05 GMT',
    }),
    'retry',
    5_000,
  ],
  [
    '503 with a date in the past',
    answer(503, '', { 'retry-after': 'Thu, 01 Jan 2026 11:00:00 GMT' }),
    'retry',
    0,
  ],
  ['502 with an empty body', answer(502), 'uncertain'],
  ['502 with a page', answer(502, GATEWAY_PAGE), 'uncertain'],
  ['502 with a truncated problem body', answer(502, '{"title":"Bad gat'), 'uncertain'],
  ['504 with an empty body', answer(504), 'uncertain'],
  ["520, Cloudflare's unknown error", answer(520, GATEWAY_PAGE), 'uncertain'],
  ["524, Cloudflare's timeout", answer(524, GATEWAY_PAGE), 'uncertain'],
  ["521, Cloudflare's refused connection", answer(521, GATEWAY_PAGE), 'retry'],
]

const ENS: readonly Row[] = [
  ['200 with success', answer(200, { status: 'success', message: 'Tracked' }), 'delivered'],
  ['200 with an error body', answer(200, { status: 'error', message: 'no' }), 'rejected'],
  [
    '400 with an error body',
    answer(400, { status: 'error', message: 'campaignId is required' }),
    'rejected',
  ],
  [
    '401 with an error body',
    answer(401, { status: 'error', message: 'unauthorized' }),
    'misconfigured',
  ],
  ['403 with an error body', answer(403, { status: 'error' }), 'misconfigured'],
  ['404 with an error body', answer(404, { status: 'error', message: 'no campaign' }), 'split'],
  ['405 with an error body', answer(405, { status: 'error' }), 'rejected'],
  ['503 with an error body', answer(503, { status: 'error', message: 'busy' }), 'retry'],
  ['500 with an error body', answer(500, { status: 'error', message: 'oops' }), 'retry'],
  ['502 with an error body', answer(502, { status: 'error', message: 'upstream' }), 'retry'],
  ['504 with an error body', answer(504, { status: 'error' }), 'retry'],
  ["502 with another network's error body", answer(502, problem(502)), 'uncertain'],
]

const CLOSIENT: readonly Row[] = [
  ['200 with success', answer(200, { success: true, count: 3 }), 'delivered'],
  ['200 with success: false', answer(200, { success: false, count: 0 }), 'rejected'],
  ['400 with a problem body', answer(400, problem(400, { retryable: false })), 'rejected'],
  ['400 with retryable: true', answer(400, problem(400, { retryable: true })), 'retry'],
  ['409 with retryable: true', answer(409, problem(409, { retryable: true })), 'retry'],
  ['422 with retryable: true', answer(422, problem(422, { retryable: true })), 'retry'],
  ['422 with a problem body', answer(422, problem(422, { retryable: false })), 'split'],
  ['404 with a problem body', answer(404, problem(404)), 'split'],
  ['401 with a problem body', answer(401, problem(401, { retryable: false })), 'misconfigured'],
  [
    '429 with retry_after_seconds',
    answer(429, problem(429, { retry_after_seconds: 4, retryable: true })),
    'retry',
    4_000,
  ],
  [
    '429 with a different Retry-After and retry_after_seconds',
    answer(429, problem(429, { retry_after_seconds: 4 }), { 'retry-after': '2' }),
    'retry',
    4_000,
  ],
  ['500 with a problem body', answer(500, problem(500, { retryable: true })), 'retry'],
  ['500 with retryable: false', answer(500, problem(500, { retryable: false })), 'rejected'],
  ['502 with a problem body', answer(502, problem(502)), 'retry'],
  [
    '503 with retryable: false and Retry-After',
    answer(503, problem(503, { retryable: false }), { 'retry-after': '9' }),
    'rejected',
  ],
  ['404 with retryable: false', answer(404, problem(404, { retryable: false })), 'split'],
  ['503 with a problem body', answer(503, problem(503)), 'retry'],
  ['504 with retryable: false', answer(504, problem(504, { retryable: false })), 'rejected'],
  ['503 with retryable: true', answer(503, problem(503, { retryable: true })), 'retry'],
  [
    "502 with another network's error body",
    answer(502, { status: 'error', message: 'no' }),
    'uncertain',
  ],
]

const TABLES = [
  { network: ensNetwork, rows: [...COMMON, ...ENS] },
  { network: closientNetwork, rows: [...COMMON, ...CLOSIENT] },
]

for (const { network, rows } of TABLES) {
  describe(`${network.name}().verdict`, () => {
    for (const [title, given, kind, waitMs] of rows) {
      it(`is ${kind} for ${title}`, () => {
        const verdict = network.verdict(given)
        assert.equal(verdict.kind, kind)
        assert.equal(verdict.kind === 'retry' ? verdict.retryAfterMs : undefined, waitMs)
      })
    }

    it('has a reason that begins with the status as its code', () => {
      for (const { reason } of rows.map(([, given]) => network.verdict(given))) {
        assert.match(reason, /^http-[2-5]\d\d: ./)
      }
    })
  })
}

describe('the count of a closient verdict', () => {
  it('is present only if it is a natural number', () => {
    const readCount = (body: unknown) => {
      const verdict = closientNetwork.verdict(answer(200, body))
      return verdict.kind === 'delivered' ? verdict.count : verdict.kind
    }
    assert.equal(readCount({ success: true, count: 2 }), 2)
    assert.equal(readCount({ success: true, count: 0 }), 0)
    for (const count of [-1, 1.5, '2', null, 1e300]) {
      assert.equal(readCount({ success: true, count }), undefined)
    }
  })
})

describe('verdictOnError()', () => {
  const failure = (code: string) => Object.assign(new Error('it failed'), { code })

  for (const code of ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ECONNRESET', 'EPIPE']) {
    it(`is retry for ${code} before the request was sent`, () => {
      const verdict = verdictOnError(failure(code), false)
      assert.equal(verdict.kind, 'retry')
      assert.match(verdict.reason, new RegExp(`^(unreachable|reset): .*${code}: it failed$`))
    })
  }

  for (const [code, reasonCode] of [
    ['ETIMEDOUT', 'timeout'],
    ['ECONNRESET', 'reset'],
    ['EPIPE', 'reset'],
    ['UND_ERR_SOCKET', 'reset'],
    ['UND_ERR_DESTROYED', 'closed'],
    ['UND_ERR_INVALID_ARG', 'unsendable'],
    ['HPE_INVALID_CONSTANT', 'no-answer'],
  ]) {
    it(`has a reason with the code ${reasonCode} for ${code}`, () => {
      const { reason } = verdictOnError(failure(code ?? ''), true)
      assert.ok(reason.startsWith(`${reasonCode}: `), reason)
    })
  }

  for (const code of ['ECONNRESET', 'ETIMEDOUT', 'UND_ERR_SOCKET', 'HPE_INVALID_CONSTANT']) {
    it(`is uncertain for ${code} after the request was sent`, () => {
      assert.equal(verdictOnError(failure(code), true).kind, 'uncertain')
    })
  }

  it('is split for a request that HTTP does not allow, so that only the bad item is lost', () => {
    assert.equal(verdictOnError(failure('UND_ERR_INVALID_ARG'), false).kind, 'split')
  })

  it('accepts an error without a code', () => {
    assert.match(verdictOnError(new Error('odd'), true).reason, /^no-answer: .*: odd$/)
  })
})
