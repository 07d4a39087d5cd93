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

  it('counts the documented example and stores its canonical UUIDs as shortuuids', async () => {
    const response = await caller.closient({
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
    assert.equal(response.status, 200)
    assert.equal(response.text, '{"success":true,"count":1}')
    assert.deepEqual(sandbox.closient.impressions, [
      {
        at: NOW,
        call: 1,
        // Computed with the Python package shortuuid, version 1.0 or later.
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
    const response = await caller.closient({ body: { impressions, search_query: null } })
    assert.deepEqual(response.json(), { success: true, count: 3 })
    const at = { at: NOW, call: 1 }
    assert.deepEqual(sandbox.closient.impressions, [
      { ...at, campaignId: CAMPAIGN, offerId: OFFER },
      { ...at, campaignId: CAMPAIGN },
      { ...at, campaignId: OFFER },
    ])
  })

  it('accepts an empty batch, which the schema allows', async () => {
    const response = await caller.closient({ body: { impressions: [] } })
    assert.equal(response.status, 200)
    assert.deepEqual(response.json(), { success: true, count: 0 })
  })

  it('accepts the largest 128-bit id and rejects larger ones', async () => {
    const withCampaign = (campaign_id: string) => ({ body: { impressions: [{ campaign_id }] } })
    assert.equal((await caller.closient(withCampaign('oZEq7ovRbLq6UnGMPwc8B5'))).status, 200)
    assert.equal((await caller.closient(withCampaign('oZEq7ovRbLq6UnGMPwc8B6'))).status, 422)
    assert.equal((await caller.closient(withCampaign('z'.repeat(22)))).status, 422)
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
    it(`responds 401 to ${key === null ? 'a missing' : 'a wrong'} key without checking the body`, async () => {
      const response = await caller.closient({ headers: { 'x-api-key': key }, body: 'not json' })
      assert.equal(response.status, 401)
      assert.equal(response.headers['content-type'], 'application/problem+json')
      assert.deepEqual(response.json(), {
        ...problem(401, 'unauthorized', 'Unauthorized'),
        detail: 'The API key is missing or invalid.',
      })
      assert.equal(sandbox.closient.calls[0]?.authorization, key === null ? 'missing' : 'wrong')
    })
  }

  it('responds 404 as in the documented example', async () => {
    const response = await caller.closient({ path: '/advertising/api/v1/ads/clicks' })
    assert.equal(response.status, 404)
    assert.deepEqual(response.json(), {
      ...problem(404, 'not_found', 'Not Found'),
      detail: 'The requested resource was not found.',
    })
  })

  it('responds 405 to other methods', async () => {
    const response = await caller.closient({ method: 'GET' })
    assert.equal(response.status, 405)
    assert.equal(response.headers.allow, 'POST')
    assert.equal(response.json().error_code, 'method_not_allowed')
  })

  it('responds 415 to a body without a JSON content type', async () => {
    const response = await caller.closient({ headers: { 'content-type': 'text/plain' } })
    assert.equal(response.status, 415)
    assert.equal(response.json().error_code, 'unsupported_media_type')
  })

  it('responds 413 to a body of more than 1 MiB', async () => {
    const search_query = 'x'.repeat(1024 * 1024)
    const response = await caller.closient({ body: { impressions: [], search_query } })
    assert.equal(response.status, 413)
    assert.equal(response.json().error_code, 'payload_too_large')
  })

  const validItem = { campaign_id: CAMPAIGN }
  const notAnId = 'must be a 22-character shortuuid or a canonical UUID.'
  const invalid: [description: string, body: unknown, detail: string][] = [
    ['missing impressions', {}, 'impressions: Field required.'],
    ['null impressions', { impressions: null }, 'impressions: must be an array, not null.'],
    [
      'an object as impressions',
      { impressions: validItem },
      'impressions: must be an array, not an object.',
    ],
    [
      'a string as an item',
      { impressions: [CAMPAIGN] },
      'impressions.0: must be an object, not a string.',
    ],
    [
      'an item without a campaign',
      { impressions: [{}] },
      'impressions.0.campaign_id: Field required.',
    ],
    [
      'one invalid item among valid ones',
      { impressions: [validItem, validItem, { campaign_id: CAMPAIGN.slice(1) }] },
      `impressions.2.campaign_id: ${notAnId}`,
    ],
    [
      'a letter that shortuuids do not use',
      { impressions: [{ campaign_id: `l${CAMPAIGN.slice(1)}` }] },
      `impressions.0.campaign_id: ${notAnId}`,
    ],
    [
      'a null campaign',
      { impressions: [{ campaign_id: null }] },
      'impressions.0.campaign_id: must be a string, not null.',
    ],
    [
      'a number as an offer',
      { impressions: [{ ...validItem, offer_id: 7 }] },
      'impressions.0.offer_id: must be a string, not a number.',
    ],
    [
      'an empty offer',
      { impressions: [{ ...validItem, offer_id: '' }] },
      `impressions.0.offer_id: ${notAnId}`,
    ],
    [
      'a number as the search query',
      { impressions: [validItem], search_query: 7 },
      'search_query: must be a string or null, not a number.',
    ],
    ['an array as the body', [validItem], 'The request body must be an object, not an array.'],
    ['a body that is not JSON', '{', 'The request body is not valid JSON.'],
  ]
  for (const [description, body, detail] of invalid) {
    it(`responds 422 to ${description} and counts nothing`, async () => {
      const response = await caller.closient({ body })
      assert.equal(response.status, 422)
      assert.equal(response.headers['content-type'], 'application/problem+json')
      assert.deepEqual(response.json(), {
        ...problem(422, 'validation_error', 'Unprocessable Content'),
        detail,
      })
      assert.deepEqual(sandbox.closient.impressions, [])
    })
  }

  it('sends a complete problem for the status of a fault', async () => {
    sandbox.closient.fault({ status: 403 })
    const response = await caller.closient()
    assert.equal(response.status, 403)
    assert.deepEqual(response.json(), {
      ...problem(403, 'forbidden', 'Forbidden'),
      detail: 'The API key is not allowed to record impressions.',
    })
  })

  it('reads the key from X-API-Key only', async () => {
    const headers = { 'x-api-key': null, authorization: `Bearer ${sandbox.closient.apiKey}` }
    assert.equal((await caller.closient({ path: CLOSIENT_PATH, headers })).status, 401)
  })
})
