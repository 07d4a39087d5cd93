import assert from 'node:assert/strict'
import { closient } from '../../lib/networks/closient.js'
import { type Sandbox, startSandbox } from '../../lib/sandbox/sandbox.js'
import { answer } from './answer.js'
import { withEnvironment } from './environment.js'
import { exchange } from './exchange.js'
import { viewer } from './viewer.js'

const ID = 'mhvXdrZT4jP5T8vBxuvm75'
const OFFER = '2222222222222222222223'

const network = withEnvironment({}, () => closient({ apiKey: 'csb_body_sum' }))

/** A problem body as in https://docs.closient.com. */
function problem(status: number, code: string, more: object = {}) {
  return answer(
    status,
    {
      type: `https://closient.com/docs/errors/${code}`,
      title: 'A Title',
      status,
      detail: 'What went wrong.',
      error_code: code,
      retryable: false,
      timestamp: '2026-03-31T12:00:00+00:00',
      ...more,
    },
    { 'content-type': 'application/problem+json' },
  )
}

describe('closient().verdict, for a 2xx', () => {
  it('reports the count of the body', () => {
    assert.deepEqual(network.verdict(answer(200, { success: true, count: 3 })), {
      kind: 'delivered',
      reason: 'http-200: the network accepted it',
      count: 3,
    })
  })

  it('accepts a count of 0', () => {
    const verdict = network.verdict(answer(200, { success: true, count: 0 }))
    assert.equal(verdict.kind === 'delivered' && verdict.count, 0)
  })

  for (const count of [-1, 1.5, '3', null, 2 ** 53, true, [3]]) {
    it(`counts the whole batch if the count is invalid: ${JSON.stringify(count)}`, () => {
      const verdict = network.verdict(answer(200, { success: true, count }))
      assert.deepEqual(verdict, { kind: 'delivered', reason: 'http-200: the network accepted it' })
    })
  }

  for (const body of ['', '{"success":true,"cou', 'OK', '[]', 'null', '3']) {
    it(`counts the whole batch if the body has no count: ${JSON.stringify(body)}`, () => {
      const verdict = network.verdict(answer(200, body))
      assert.deepEqual(verdict, { kind: 'delivered', reason: 'http-200: the network accepted it' })
    })
  }

  it('is rejected if success is false', () => {
    assert.deepEqual(network.verdict(answer(200, { success: false, count: 0 })), {
      kind: 'rejected',
      reason: 'http-200: the answer says success: false, without a reason',
    })
  })

  it('is delivered if success is true, even if the body has members of a problem', () => {
    const body = { success: true, count: 1, title: 'x', error_code: 'y', retryable: true }
    assert.equal(network.verdict(answer(200, body)).kind, 'delivered')
  })
})

describe('closient().verdict, for a problem body', () => {
  for (const [status, code, kind] of [
    [401, 'unauthorized', 'misconfigured'],
    [403, 'forbidden', 'misconfigured'],
    [404, 'not_found', 'split'],
    [422, 'validation_error', 'split'],
    [400, 'bad_request', 'rejected'],
    [409, 'conflict', 'rejected'],
    [413, 'payload_too_large', 'split'],
    [500, 'internal_error', 'rejected'],
    [503, 'service_unavailable', 'rejected'],
  ] as const) {
    it(`judges ${status} ${code} as ${kind}, with the network's message`, () => {
      assert.deepEqual(network.verdict(problem(status, code)), {
        kind,
        reason: `http-${status}: ${code}: What went wrong.`,
      })
    })
  }

  for (const status of [429, 500, 502, 503, 504]) {
    it(`retries ${status} if the body does not say whether to`, () => {
      assert.equal(network.verdict(problem(status, 'x', { retryable: undefined })).kind, 'retry')
    })
  }

  for (const status of [400, 404, 409, 422]) {
    it(`retries ${status} if retryable is true`, () => {
      assert.equal(network.verdict(problem(status, 'x', { retryable: true })).kind, 'retry')
    })

    it(`does not retry ${status} if retryable is not true`, () => {
      for (const retryable of ['true', 1, {}, null]) {
        assert.notEqual(network.verdict(problem(status, 'x', { retryable })).kind, 'retry')
      }
    })
  }

  it('never retries a wrong key, whatever retryable says', () => {
    for (const status of [401, 403]) {
      const verdict = network.verdict(problem(status, 'x', { retryable: true }))
      assert.equal(verdict.kind, 'misconfigured')
    }
  })

  it('waits for retry_after_seconds', () => {
    const verdict = network.verdict(
      problem(429, 'rate_limited', {
        retryable: true,
        retry_after_seconds: 12.5,
      }),
    )
    assert.equal(verdict.kind === 'retry' && verdict.retryAfterMs, 12_500)
  })

  it('waits for the longer of Retry-After and retry_after_seconds', () => {
    const given = problem(429, 'rate_limited', { retryable: true, retry_after_seconds: 12 })
    const verdict = network.verdict({ ...given, headers: { 'retry-after': '30' } })
    assert.equal(verdict.kind === 'retry' && verdict.retryAfterMs, 30_000)
  })

  for (const seconds of [-1, '12', null, {}, Number.NaN]) {
    it(`ignores retry_after_seconds of ${JSON.stringify(seconds)}`, () => {
      const verdict = network.verdict(
        problem(429, 'x', {
          retryable: true,
          retry_after_seconds: seconds,
        }),
      )
      assert.equal(verdict.kind === 'retry' && verdict.retryAfterMs, undefined)
    })
  }

  it('ignores an infinite retry_after_seconds', () => {
    const body = '{"error_code":"rate_limited","retry_after_seconds":1e999}'
    const verdict = network.verdict(answer(429, body))
    assert.deepEqual(verdict, { kind: 'retry', reason: 'http-429: rate_limited' })
  })

  it('uses the title if there is no detail', () => {
    const verdict = network.verdict(answer(400, { title: 'Bad Request' }))
    assert.equal(verdict.reason, 'http-400: Bad Request')
  })

  it('ignores members of the wrong type', () => {
    const body = { title: 1, detail: ['x'], error_code: { a: 1 }, retry_after_seconds: [] }
    assert.deepEqual(network.verdict(answer(503, body)), {
      kind: 'retry',
      reason: 'http-503: the network refused it and did not say why',
    })
  })

  it('does not mistake a gateway’s JSON for a problem body', () => {
    const verdict = network.verdict(answer(504, { message: 'Endpoint request timed out' }))
    assert.deepEqual(verdict, {
      kind: 'uncertain',
      reason: 'http-504: a gateway or the network failed',
    })
  })
})

describe('closient(), against the sandbox', () => {
  let sandbox: Sandbox
  before(async () => {
    sandbox = await startSandbox()
  })
  after(() => sandbox.close())
  beforeEach(() => sandbox.reset())

  function connect(options: { apiKey?: string; path?: string } = {}) {
    const { apiKey = sandbox.closient.apiKey, path = '' } = options
    return closient({ apiKey, baseUrl: sandbox.closient.baseUrl + path })
  }

  it('sends a batch that is counted once, as written', async () => {
    const live = connect()
    const searchQuery = 'organic granola bars'
    const items = [
      { campaignId: ID, searchQuery },
      { campaignId: 'a1b2c3d4-e5f6-7890-abcd-ef1234567890', offerId: OFFER, searchQuery },
      { campaignId: OFFER, offerId: null, searchQuery },
    ].map((fields) => live.parse(fields, viewer()).item)

    const verdict = live.verdict(await exchange(live, items))

    assert.deepEqual(verdict, {
      kind: 'delivered',
      reason: 'http-200: the network accepted it',
      count: 3,
    })
    const [call, ...more] = sandbox.closient.calls
    assert.equal(more.length, 0)
    assert.equal(call?.method, 'POST')
    assert.equal(call?.path, '/advertising/api/v1/ads/impressions')
    assert.equal(call?.authorization, 'right')
    assert.equal(call?.headers['content-type'], 'application/json')
    assert.equal(call?.headers.authorization, undefined)
    assert.equal(sandbox.closient.impressions[1]?.offerId, OFFER)
    assert.ok(
      sandbox.closient.impressions.every((impression) => impression.searchQuery === searchQuery),
    )
  })

  it('is misconfigured with a wrong key', async () => {
    const live = connect({ apiKey: 'csb_wrong_key' })
    const { item } = live.parse({ campaignId: ID }, viewer())
    assert.deepEqual(live.verdict(await exchange(live, [item])), {
      kind: 'misconfigured',
      reason: 'http-401: unauthorized: The API key is missing or invalid.',
    })
  })

  it('splits a batch with one bad item', async () => {
    const live = connect()
    const verdict = live.verdict(
      await exchange(live, [{ campaign_id: ID }, { campaign_id: 'wrong' }]),
    )
    assert.equal(verdict.kind, 'split')
    assert.match(verdict.reason, /^http-422: validation_error: impressions\.1\.campaign_id: /)
    assert.equal(sandbox.closient.impressions.length, 0)
  })

  it('waits when the quota is exhausted', async () => {
    const live = connect()
    sandbox.closient.spend(300)
    const { item } = live.parse({ campaignId: ID }, viewer())
    const verdict = live.verdict(await exchange(live, [item]))
    assert.equal(verdict.kind, 'retry')
    assert.match(verdict.reason, /^http-429: rate_limited: /)
    const waitMs = verdict.kind === 'retry' ? verdict.retryAfterMs : undefined
    assert.ok(waitMs !== undefined && waitMs > 0 && waitMs <= 60_000, String(waitMs))
  })

  it('reports a count lower than what was sent', async () => {
    const live = connect()
    sandbox.closient.fault({ counts: 1 })
    const items = [ID, OFFER].map((campaignId) => live.parse({ campaignId }, viewer()).item)
    const verdict = live.verdict(await exchange(live, items))
    assert.equal(verdict.kind === 'delivered' && verdict.count, 1)
  })

  it('keeps the path of the base URL', async () => {
    const live = connect({ path: '/proxy/' })
    const { item } = live.parse({ campaignId: ID }, viewer())
    const verdict = live.verdict(await exchange(live, [item]))
    assert.equal(sandbox.closient.calls[0]?.path, '/proxy/advertising/api/v1/ads/impressions')
    assert.match(verdict.reason, /^http-404: not_found: /)
  })
})
