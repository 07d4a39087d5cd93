import assert from 'node:assert/strict'
import { type Sandbox, startSandbox } from '../../lib/sandbox/sandbox.js'
import { CAMPAIGN, Caller, CLOSIENT_PATH, OFFER } from './caller.js'

const NOW = Date.UTC(2026, 2, 31, 12)

describe('The Closient sandbox', () => {
  let sandbox: Sandbox
  let caller: Caller

  before(async () => {
    sandbox = await startSandbox({ now: () => NOW })
    caller = new Caller(sandbox)
  })
  after(async () => {
    await caller.close()
    await sandbox.close()
  })
  beforeEach(() => sandbox.reset())

  it("counts the document's example, canonical UUIDs and all, under the rows' shortuuids", async () => {
    const answer = await caller.closient({
      body: {
        impressions: [
          {
            campaign_id: 'a1b2c3d4-e5f6-7890-abcd-ef1234567890',
            offer_id: 'f9e8d7c6-b5a4-3210-fedc-ba0987654321',
          },
        ],
        search_query: 'organic granola bars',
      },
    })
    assert.equal(answer.status, 200)
    assert.equal(answer.text, '{"success":true,"count":1}')
    assert.deepEqual(sandbox.closient.impressions, [
      {
        at: NOW,
        call: 1,
        // Worked out apart from this code, in Python, as shortuuid >= 1.0 encodes.
        campaignId: 'WmsG2qe2XXxacqiqo2MfnY',
        offerId: 'nUUA63crJ3rD8j98JKNxgb',
        searchQuery: 'organic granola bars',
      },
    ])
  })

  it('counts each item of a batch', async () => {
    const impressions = [
      { campaign_id: CAMPAIGN, offer_id: OFFER },
      { campaign_id: CAMPAIGN, offer_id: null },
      { campaign_id: OFFER, unknown: 1 },
    ]
    const answer = await caller.closient({ body: { impressions, search_query: null } })
    assert.deepEqual(answer.json(), { success: true, count: 3 })
    const at = { at: NOW, call: 1 }
    assert.deepEqual(sandbox.closient.impressions, [
      { ...at, campaignId: CAMPAIGN, offerId: OFFER },
      { ...at, campaignId: CAMPAIGN },
      { ...at, campaignId: OFFER },
    ])
  })

  it('takes an empty batch, which the schema allows', async () => {
    const answer = await caller.closient({ body: { impressions: [] } })
    assert.equal(answer.status, 200)
    assert.deepEqual(answer.json(), { success: true, count: 0 })
  })

  it('takes the highest id of 128 bits, and no higher one', async () => {
    const item = (campaign_id: string) => ({ body: { impressions: [{ campaign_id }] } })
    assert.equal((await caller.closient(item('oZEq7ovRbLq6UnGMPwc8B5'))).status, 200)
    assert.equal((await caller.closient(item('oZEq7ovRbLq6UnGMPwc8B6'))).status, 422)
    assert.equal((await caller.closient(item('z'.repeat(22)))).status, 422)
  })

  const problem = (status: number, error_code: string, title: string) => ({
    type: `https://closient.com/docs/errors/${error_code}`,
    title,
    status,
    error_code,
    retryable: false,
    timestamp: '2026-03-31T12:00:00+00:00',
  })

  for (const key of [null, 'csb_wrong_key'] as const) {
    it(`answers 401 to ${key === null ? 'no key' : 'a wrong key'}, before it looks at the body`, async () => {
      const answer = await caller.closient({ headers: { 'x-api-key': key }, body: 'not json' })
      assert.equal(answer.status, 401)
      assert.equal(answer.headers['content-type'], 'application/problem+json')
      assert.deepEqual(answer.json(), {
        ...problem(401, 'unauthorized', 'Unauthorized'),
        detail: 'The API key is missing or invalid.',
      })
      assert.equal(sandbox.closient.calls[0]?.authorization, key === null ? 'missing' : 'wrong')
    })
  }

  it("words a 404 as the document's example does", async () => {
    const answer = await caller.closient({ path: '/advertising/api/v1/ads/clicks' })
    assert.equal(answer.status, 404)
    assert.deepEqual(answer.json(), {
      ...problem(404, 'not_found', 'Not Found'),
      detail: 'The requested resource was not found.',
    })
  })

  it('answers 405 to other methods', async () => {
    const answer = await caller.closient({ method: 'GET' })
    assert.equal(answer.status, 405)
    assert.equal(answer.headers.allow, 'POST')
    assert.equal(answer.json().error_code, 'method_not_allowed')
  })

  it('answers 415 to a body that is not declared as JSON', async () => {
    const answer = await caller.closient({ headers: { 'content-type': 'text/plain' } })
    assert.equal(answer.status, 415)
    assert.equal(answer.json().error_code, 'unsupported_media_type')
  })

  it('answers 413 to a body of more than 1 MiB', async () => {
    const search_query = 'x'.repeat(1024 * 1024)
    const answer = await caller.closient({ body: { impressions: [], search_query } })
    assert.equal(answer.status, 413)
    assert.equal(answer.json().error_code, 'payload_too_large')
  })

  const one = { campaign_id: CAMPAIGN }
  const notAnId = 'must be a 22-character shortuuid or a canonical UUID.'
  const wrong: [what: string, body: unknown, detail: string][] = [
    ['no impressions', {}, 'impressions: Field required.'],
    ['impressions of null', { impressions: null }, 'impressions: must be an array, not null.'],
    [
      'impressions that are an object',
      { impressions: one },
      'impressions: must be an array, not an object.',
    ],
    [
      'an item that is a string',
      { impressions: [CAMPAIGN] },
      'impressions.0: must be an object, not a string.',
    ],
    [
      'an item without campaign',
      { impressions: [{}] },
      'impressions.0.campaign_id: Field required.',
    ],
    [
      'one bad item among good ones',
      { impressions: [one, one, { campaign_id: CAMPAIGN.slice(1) }] },
      `impressions.2.campaign_id: ${notAnId}`,
    ],
    [
      'a letter that no shortuuid has',
      { impressions: [{ campaign_id: `l${CAMPAIGN.slice(1)}` }] },
      `impressions.0.campaign_id: ${notAnId}`,
    ],
    [
      'a null campaign',
      { impressions: [{ campaign_id: null }] },
      'impressions.0.campaign_id: must be a string, not null.',
    ],
    [
      'an offer that is a number',
      { impressions: [{ ...one, offer_id: 7 }] },
      'impressions.0.offer_id: must be a string, not a number.',
    ],
    [
      'an offer that is empty',
      { impressions: [{ ...one, offer_id: '' }] },
      `impressions.0.offer_id: ${notAnId}`,
    ],
    [
      'a search query that is a number',
      { impressions: [one], search_query: 7 },
      'search_query: must be a string or null, not a number.',
    ],
    ['an array', [one], 'The request body must be an object, not an array.'],
    ['what is not JSON', '{', 'The request body is not valid JSON.'],
  ]
  for (const [what, body, detail] of wrong) {
    it(`answers 422 to ${what}, and counts nothing`, async () => {
      const answer = await caller.closient({ body })
      assert.equal(answer.status, 422)
      assert.equal(answer.headers['content-type'], 'application/problem+json')
      assert.deepEqual(answer.json(), {
        ...problem(422, 'validation_error', 'Unprocessable Content'),
        detail,
      })
      assert.deepEqual(sandbox.closient.impressions, [])
    })
  }

  it('answers an error that a fault asks for in full', async () => {
    sandbox.closient.fault({ status: 403 })
    const answer = await caller.closient()
    assert.equal(answer.status, 403)
    assert.deepEqual(answer.json(), {
      ...problem(403, 'forbidden', 'Forbidden'),
      detail: 'The API key is not allowed to record impressions.',
    })
  })

  it('reads its key from X-API-Key alone', async () => {
    const headers = { 'x-api-key': null, authorization: `Bearer ${sandbox.closient.apiKey}` }
    assert.equal((await caller.closient({ path: CLOSIENT_PATH, headers })).status, 401)
  })
})
