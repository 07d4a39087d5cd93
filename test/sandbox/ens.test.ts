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

  it("counts the document's example, and answers as the document does", async () => {
    const body = { campaignId: 1, placement: 'header_banner', location: 'US', device: 'mobile' }
    const { status, headers, text } = await caller.ens({ body })
    assert.equal(status, 200)
    assert.equal(headers['content-type'], 'application/json')
    assert.equal(text, '{"status":"success","message":"Impression tracked successfully"}')
    assert.deepEqual(sandbox.ens.impressions, [{ at: 1_790_000_000_000, call: 1, ...body }])
  })

  it('leaves out of the impression what was not sent', async () => {
    await caller.ens({ body: { campaignId: 7, placement: 'x', unknown: true } })
    assert.deepEqual(sandbox.ens.impressions, [
      { at: 1_790_000_000_000, call: 1, campaignId: 7, placement: 'x' },
    ])
  })

  it('takes the authorization scheme in any case', async () => {
    const headers = { authorization: `bearer ${sandbox.ens.apiKey}` }
    assert.equal((await caller.ens({ headers })).status, 200)
  })

  const keys: Record<string, string | null> = {
    'no key': null,
    'a wrong key': 'Bearer wrong',
    'another scheme': 'Basic sandbox-ens-key',
    'a key without a scheme': 'sandbox-ens-key',
  }
  for (const [what, authorization] of Object.entries(keys)) {
    it(`answers 401 to ${what}, before it looks at the body`, async () => {
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

  const good = { campaignId: 1, placement: 'x' }
  const isCountry = 'location must be an ISO 3166-1 alpha-2 country code'
  const isDevice = 'device must be one of mobile, desktop, tablet'
  const wrong: [what: string, body: unknown, message: string][] = [
    ['no campaignId', { placement: 'x' }, 'campaignId is required'],
    ['a null campaignId', { ...good, campaignId: null }, 'campaignId is required'],
    [
      'a campaignId in quotes',
      { ...good, campaignId: '1' },
      'campaignId must be a positive integer',
    ],
    ['a campaignId of 1.5', { ...good, campaignId: 1.5 }, 'campaignId must be a positive integer'],
    ['a campaignId of 0', { ...good, campaignId: 0 }, 'campaignId must be a positive integer'],
    ['no placement', { campaignId: 1 }, 'placement is required'],
    ['an empty placement', { ...good, placement: '' }, 'placement is required'],
    ['a placement that is a number', { ...good, placement: 5 }, 'placement must be a string'],
    ['a country that is none', { ...good, location: 'UK' }, isCountry],
    ['a country in lower case', { ...good, location: 'us' }, isCountry],
    ['a country by its alpha-3 code', { ...good, location: 'USA' }, isCountry],
    ['an empty country', { ...good, location: '' }, isCountry],
    ['a null country', { ...good, location: null }, isCountry],
    [
      'a country named like a property of every object',
      { ...good, location: 'constructor' },
      isCountry,
    ],
    ['a device that is none', { ...good, device: 'phone' }, isDevice],
    ['an empty device', { ...good, device: '' }, isDevice],
    ['an array', [good], 'request body must be a JSON object'],
    ['what is not JSON', '{"campaignId":', 'request body must be valid JSON'],
    ['an empty body', '', 'request body must be valid JSON'],
  ]
  for (const [what, body, message] of wrong) {
    it(`answers 400 to ${what}: ${message}`, async () => {
      const answer = await caller.ens({ body })
      assert.equal(answer.status, 400)
      assert.deepEqual(answer.json(), { status: 'error', message })
      assert.deepEqual(sandbox.ens.impressions, [])
    })
  }

  it('answers 400 to a body that is not declared as JSON', async () => {
    const answer = await caller.ens({ headers: { 'content-type': 'text/plain' } })
    assert.equal(answer.status, 400)
    assert.deepEqual(answer.json(), {
      status: 'error',
      message: 'Content-Type must be application/json',
    })
  })

  it('takes a content type with parameters', async () => {
    const headers = { 'content-type': 'application/json; charset=utf-8' }
    assert.equal((await caller.ens({ headers })).status, 200)
  })

  it('answers 405 to other methods and 404 to other paths, in its own envelope', async () => {
    const get = await caller.ens({ method: 'GET' })
    assert.equal(get.status, 405)
    assert.equal(get.headers.allow, 'POST')
    assert.deepEqual(get.json(), { status: 'error', message: 'method not allowed' })
    const elsewhere = await caller.ens({ path: `${ENS_PATH}s` })
    assert.equal(elsewhere.status, 404)
    assert.deepEqual(elsewhere.json(), { status: 'error', message: 'not found' })
  })

  it('answers 413 to a body of more than 1 MiB, and does not keep it', async () => {
    const placement = 'x'.repeat(1024 * 1024)
    const answer = await caller.ens({ body: { campaignId: 1, placement } })
    assert.equal(answer.status, 413)
    assert.equal(sandbox.ens.calls[0]?.body, undefined)
    assert.equal((await caller.ens()).status, 200)
  })

  it('tells of no rate limit', async () => {
    const { headers } = await caller.ens()
    assert.deepEqual(
      Object.keys(headers).filter((name) => name.includes('ratelimit')),
      [],
    )
  })
})
