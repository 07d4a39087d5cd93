import assert from 'node:assert/strict'
import { type Sandbox, startSandbox } from '../../lib/sandbox/sandbox.js'
import { Caller, ENS_PATH } from './caller.js'

describe('The ENS sandbox', () => {
  let sandbox: Sandbox
  let caller: Caller

  before(async () => {
    sandbox = await startSandbox({ now: () => 1_790_000_000_000 })
    caller = new Caller(sandbox)
  })
  after(async () => {
    await caller.close()
    await sandbox.close()
  })
  beforeEach(() => sandbox.reset())

  it('counts the documented example and sends the documented response', async () => {
    const body = { campaignId: 1, placement: 'header_banner', location: 'US', device: 'mobile' }
    const { status, headers, text } = await caller.ens({ body })
    assert.equal(status, 200)
    assert.equal(headers['content-type'], 'application/json')
    assert.equal(text, '{"status":"success","message":"Impression tracked successfully"}')
    assert.deepEqual(sandbox.ens.impressions, [{ at: 1_790_000_000_000, call: 1, ...body }])
  })

  it('omits fields that were not sent from the impression', async () => {
    await caller.ens({ body: { campaignId: 7, placement: 'x', unknown: true } })
    assert.deepEqual(sandbox.ens.impressions, [
      { at: 1_790_000_000_000, call: 1, campaignId: 7, placement: 'x' },
    ])
  })

  it('accepts the authorization scheme in any case', async () => {
    const headers = { authorization: `bearer ${sandbox.ens.apiKey}` }
    assert.equal((await caller.ens({ headers })).status, 200)
  })

  const keys: Record<string, string | null> = {
    'a missing key': null,
    'a wrong key': 'Bearer wrong',
    'another scheme': 'Basic sandbox-ens-key',
    'a key without a scheme': 'sandbox-ens-key',
  }
  for (const [description, authorization] of Object.entries(keys)) {
    it(`responds 401 to ${description} without checking the body`, async () => {
      const { status, text } = await caller.ens({ headers: { authorization }, body: 'not json' })
      assert.equal(status, 401)
      assert.equal(text, '{"status":"error","message":"unauthorized"}')
      assert.equal(
        sandbox.ens.calls[0]?.authorization,
        authorization === null ? 'missing' : 'wrong',
      )
      assert.deepEqual(sandbox.ens.impressions, [])
    })
  }

  const validBody = { campaignId: 1, placement: 'x' }
  const countryMessage = 'location must be an ISO 3166-1 alpha-2 country code'
  const deviceMessage = 'device must be one of mobile, desktop, tablet'
  const invalid: [description: string, body: unknown, message: string][] = [
    ['a missing campaignId', { placement: 'x' }, 'campaignId is required'],
    ['a null campaignId', { ...validBody, campaignId: null }, 'campaignId is required'],
    [
      'a string campaignId',
      { ...validBody, campaignId: '1' },
      'campaignId must be a positive integer',
    ],
    [
      'a campaignId of 1.5',
      { ...validBody, campaignId: 1.5 },
      'campaignId must be a positive integer',
    ],
    ['a campaignId of 0', { ...validBody, campaignId: 0 }, 'campaignId must be a positive integer'],
    ['a missing placement', { campaignId: 1 }, 'placement is required'],
    ['an empty placement', { ...validBody, placement: '' }, 'placement is required'],
    ['a number as placement', { ...validBody, placement: 5 }, 'placement must be a string'],
    ['an unknown country', { ...validBody, location: 'UK' }, countryMessage],
    ['a country in lower case', { ...validBody, location: 'us' }, countryMessage],
    ['an alpha-3 country code', { ...validBody, location: 'USA' }, countryMessage],
    ['an empty country', { ...validBody, location: '' }, countryMessage],
    ['a null country', { ...validBody, location: null }, countryMessage],
    [
      'a country that is a property of every object',
      { ...validBody, location: 'constructor' },
      countryMessage,
    ],
    ['an unknown device', { ...validBody, device: 'phone' }, deviceMessage],
    ['an empty device', { ...validBody, device: '' }, deviceMessage],
    ['an array as the body', [validBody], 'request body must be a JSON object'],
    ['a body that is not JSON', '{"campaignId":', 'request body must be valid JSON'],
    ['an empty body', '', 'request body must be valid JSON'],
  ]
  for (const [description, body, message] of invalid) {
    it(`responds 400 to ${description}: ${message}`, async () => {
      const response = await caller.ens({ body })
      assert.equal(response.status, 400)
      assert.deepEqual(response.json(), { status: 'error', message })
      assert.deepEqual(sandbox.ens.impressions, [])
    })
  }

  it('responds 400 to a body without a JSON content type', async () => {
    const response = await caller.ens({ headers: { 'content-type': 'text/plain' } })
    assert.equal(response.status, 400)
    assert.deepEqual(response.json(), {
      status: 'error',
      message: 'Content-Type must be application/json',
    })
  })

  it('accepts a content type with parameters', async () => {
    const headers = { 'content-type': 'application/json; charset=utf-8' }
    assert.equal((await caller.ens({ headers })).status, 200)
  })

  it('responds 405 to other methods and 404 to other paths, in its own format', async () => {
    const get = await caller.ens({ method: 'GET' })
    assert.equal(get.status, 405)
    assert.equal(get.headers.allow, 'POST')
    assert.deepEqual(get.json(), { status: 'error', message: 'method not allowed' })
    const elsewhere = await caller.ens({ path: `${ENS_PATH}s` })
    assert.equal(elsewhere.status, 404)
    assert.deepEqual(elsewhere.json(), { status: 'error', message: 'not found' })
  })

  it('responds 413 to a body of more than 1 MiB and does not store it', async () => {
    const placement = 'x'.repeat(1024 * 1024)
    const response = await caller.ens({ body: { campaignId: 1, placement } })
    assert.equal(response.status, 413)
    assert.equal(sandbox.ens.calls[0]?.body, undefined)
    assert.equal((await caller.ens()).status, 200)
  })

  it('sends no rate-limit headers', async () => {
    const { headers } = await caller.ens()
    assert.deepEqual(
      Object.keys(headers).filter((name) => name.includes('ratelimit')),
      [],
    )
  })
})
