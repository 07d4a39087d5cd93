import assert from 'node:assert/strict'
import { InvalidImpressionError } from '../../lib/errors.js'
import { ens } from '../../lib/networks/ens.js'
import type { Fields } from '../../lib/networks/network.js'
import { type Sandbox, startSandbox } from '../../lib/sandbox/sandbox.js'
import type { Viewer } from '../../lib/viewer/viewer.js'
import { answer } from './answer.js'
import { withEnvironment } from './environment.js'
import { exchange } from './exchange.js'
import { viewer } from './viewer.js'

const network = withEnvironment({}, () => ens({ apiKey: 'the-key' }))

function bodyOf(fields: Fields, person: Partial<Viewer> = {}): string {
  const { item } = network.parse(fields, viewer(person))
  return network.request([item]).body
}

/** What is said of `fields`, which must be refused for `field`. */
function complaint(fields: Fields, field: string): string {
  try {
    network.parse(fields, viewer())
  } catch (error) {
    assert.ok(error instanceof InvalidImpressionError)
    assert.equal(error.field, field)
    return error.message
  }
  assert.fail('expected a refusal')
}

const valid = { campaignId: 1, placement: 'header_banner' }

describe("ens(): ens.txt's request", () => {
  it("is the document's example to the byte", () => {
    const { item } = network.parse({ ...valid, location: 'US', device: 'mobile' }, viewer())
    assert.deepEqual(network.request([item]), {
      method: 'POST',
      path: '/api/v1/campaigns/impression',
      headers: { authorization: 'Bearer the-key', 'content-type': 'application/json' },
      body: '{"campaignId":1,"placement":"header_banner","location":"US","device":"mobile"}',
    })
    assert.equal(network.baseUrl, 'https://ads.enslive.live')
  })

  it('leaves out what is not known', () => {
    assert.equal(bodyOf(valid), '{"campaignId":1,"placement":"header_banner"}')
    assert.equal(
      bodyOf({ ...valid, location: undefined, device: undefined }),
      '{"campaignId":1,"placement":"header_banner"}',
    )
  })

  it('tells what the request tells of the viewer', () => {
    assert.equal(
      bodyOf(valid, { country: 'FR', device: 'tablet', searchQuery: 'not for ENS' }),
      '{"campaignId":1,"placement":"header_banner","location":"FR","device":"tablet"}',
    )
  })

  it('believes the input before the request', () => {
    assert.equal(
      bodyOf({ ...valid, location: 'GB', device: 'desktop' }, { country: 'FR', device: 'tablet' }),
      '{"campaignId":1,"placement":"header_banner","location":"GB","device":"desktop"}',
    )
  })

  it('carries one impression a call, as it occurs', () => {
    assert.equal(network.maxBatch, 1)
    assert.equal(network.flush, 'immediate')
    assert.deepEqual(network.windows, [])
  })

  it('sends a placement as it is', () => {
    for (const placement of ['a', 'Ünïcode 😀', ' padded ', '"\\/', 'x'.repeat(256)]) {
      assert.equal(JSON.parse(bodyOf({ ...valid, placement })).placement, placement)
    }
  })
})

describe("ens(): an input's fields", () => {
  for (const campaignId of [1, 42, Number.MAX_SAFE_INTEGER]) {
    it(`takes campaign ${campaignId}`, () => {
      assert.equal(network.parse({ ...valid, campaignId }, viewer()).campaignId, campaignId)
    })
  }

  for (const campaignId of [
    undefined,
    null,
    '',
    '42',
    0,
    -0,
    -1,
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.MAX_SAFE_INTEGER + 1,
    42n,
    true,
    [42],
    { valueOf: () => 42 },
    Symbol('42'),
  ]) {
    it(`refuses campaign ${String(campaignId)} (${typeof campaignId})`, () => {
      assert.match(
        complaint({ ...valid, campaignId }, 'campaignId'),
        /^campaignId: expected a positive integer, got /,
      )
    })
  }

  for (const placement of [
    undefined,
    null,
    '',
    ' ',
    '\u00a0\u3000',
    'x'.repeat(257),
    'a\nb',
    'a\0',
    '\ud800',
    7,
    ['header'],
    {},
  ]) {
    it(`refuses the placement ${JSON.stringify(placement)?.slice(0, 30)}`, () => {
      assert.match(
        complaint({ ...valid, placement }, 'placement'),
        /^placement: expected a placement id of 1 to 256 printable characters, got /,
      )
    })
  }

  for (const location of ['US', 'GB', 'FR', 'GR', 'AX', 'AQ', 'TW', 'SS']) {
    it(`takes the location ${location}`, () => {
      assert.equal(JSON.parse(bodyOf({ ...valid, location })).location, location)
    })
  }

  for (const [location, hint] of [
    ['UK', 'the United Kingdom is GB'],
    ['uk', 'the United Kingdom is GB'],
    ['EL', 'Greece is GR'],
    ['us', 'write US'],
    ['Gb', 'write GB'],
  ] as const) {
    it(`says of the location ${location}: ${hint}`, () => {
      const message = complaint({ ...valid, location }, 'location')
      assert.ok(message.includes(`(${hint})`), message)
      assert.ok(message.endsWith(`got "${location}"`), message)
    })
  }

  for (const location of ['', 'XX', 'ZZ', 'EU', 'T1', 'XK', 'USA', 'U', ' US', 'US\n', null, 1]) {
    it(`refuses the location ${JSON.stringify(location)}`, () => {
      assert.match(
        complaint({ ...valid, location }, 'location'),
        /^location: expected an ISO 3166-1 alpha-2 country code such as US, got /,
      )
    })
  }

  for (const device of ['mobile', 'desktop', 'tablet']) {
    it(`takes the device ${device}`, () => {
      assert.equal(JSON.parse(bodyOf({ ...valid, device })).device, device)
    })
  }

  for (const device of ['phone', 'Mobile', '', 'tv', null, 1, ['mobile']]) {
    it(`refuses the device ${JSON.stringify(device)}`, () => {
      assert.match(
        complaint({ ...valid, device }, 'device'),
        /^device: expected 'mobile', 'desktop' or 'tablet', got /,
      )
    })
  }

  it('looks at the campaign first, and at one wrong field at a time', () => {
    complaint({ campaignId: 'x', placement: '', location: 'UK', device: 'phone' }, 'campaignId')
  })

  it('knows its inputs by their number, or else by their placement', () => {
    assert.equal(network.match({ campaignId: 1 }), 'certain')
    assert.equal(network.match({ campaignId: Number.NaN }), 'certain')
    assert.equal(network.match({ campaignId: '42', placement: 'a' }), 'likely')
    assert.equal(network.match({ campaignId: '42' }), 'no')
    assert.equal(network.match({}), 'no')
  })
})

describe("ens(): ens.txt's answers", () => {
  const error = (message: string) => ({ status: 'error', message })

  for (const [title, given, kind, reason] of [
    [
      'the documented 200',
      answer(200, { status: 'success', message: 'Impression tracked successfully' }),
      'delivered',
      'HTTP 200',
    ],
    ['a 200 that says nothing', answer(200), 'delivered', 'HTTP 200'],
    ['a 200 whose body broke off', answer(200, '{"status":"err'), 'delivered', 'HTTP 200'],
    ['a 200 with an array', answer(200, '[{"status":"error"}]'), 'delivered', 'HTTP 200'],
    ['a 201', answer(201, { status: 'success' }), 'delivered', 'HTTP 201'],
    [
      'an error with 200',
      answer(200, error('campaign has ended')),
      'rejected',
      'HTTP 200: campaign has ended',
    ],
    ['an error with 200 and spaces', answer(200, '{ "status" : "error" }'), 'rejected', 'HTTP 200'],
    ['an error with 200 and no message', answer(200, { status: 'error' }), 'rejected', 'HTTP 200'],
    [
      'the documented 400',
      answer(400, error('campaignId is required')),
      'rejected',
      'HTTP 400: campaignId is required',
    ],
    [
      'the documented 401',
      answer(401, error('unauthorized')),
      'misconfigured',
      'HTTP 401: unauthorized',
    ],
    ['a 403', answer(403, error('forbidden')), 'misconfigured', 'HTTP 403: forbidden'],
    ['a 429', answer(429, error('slow down')), 'retry', 'HTTP 429: slow down'],
    ['a 500', answer(500, error('oops')), 'retry', 'HTTP 500: oops'],
    ['a 503', answer(503, error('maintenance')), 'retry', 'HTTP 503: maintenance'],
    ["a gateway's 502", answer(502, '<html>Bad Gateway</html>'), 'uncertain', 'HTTP 502'],
    ["a gateway's 504 in JSON", answer(504, { message: 'timeout' }), 'uncertain', 'HTTP 504'],
    ["ENS's own 502", answer(502, error('try later')), 'retry', 'HTTP 502: try later'],
    [
      'a message that is no text',
      answer(400, { status: 'error', message: {} }),
      'rejected',
      'HTTP 400',
    ],
  ] as const) {
    it(`takes ${title} for ${kind}`, () => {
      assert.deepEqual(network.verdict(given), { kind, reason })
    })
  }

  it('waits as long as the answer asks for', () => {
    assert.deepEqual(network.verdict(answer(429, error('slow down'), { 'retry-after': '7' })), {
      kind: 'retry',
      reason: 'HTTP 429: slow down',
      retryAfterMs: 7_000,
    })
  })

  it('suspects the base URL of a redirect', () => {
    const verdict = network.verdict(answer(301, '', { location: 'https://elsewhere.example' }))
    assert.equal(verdict.kind, 'misconfigured')
    assert.match(verdict.reason, /^HTTP 301: a redirect; is the base URL right\?$/)
  })
})

describe('ens(): over HTTP', () => {
  let sandbox: Sandbox
  before(async () => {
    sandbox = await startSandbox()
  })
  after(() => sandbox.close())
  beforeEach(() => sandbox.reset())

  it('is counted by ENS, once and as it was written', async () => {
    const live = ens({ apiKey: sandbox.ens.apiKey, baseUrl: sandbox.ens.baseUrl })
    const { item } = live.parse({ ...valid, location: 'GB', device: 'tablet' }, viewer())
    const answered = await exchange(live, [item])

    assert.deepEqual(live.verdict(answered), { kind: 'delivered', reason: 'HTTP 200' })
    const [call, ...more] = sandbox.ens.calls
    assert.equal(more.length, 0)
    assert.equal(call?.method, 'POST')
    assert.equal(call?.path, '/api/v1/campaigns/impression')
    assert.equal(call?.authorization, 'right')
    assert.equal(call?.headers['content-type'], 'application/json')
    assert.deepEqual(call?.body, {
      campaignId: 1,
      placement: 'header_banner',
      location: 'GB',
      device: 'tablet',
    })
    assert.equal(sandbox.ens.impressions.length, 1)
  })

  it('is told of a wrong key', async () => {
    const live = ens({ apiKey: 'wrong', baseUrl: sandbox.ens.baseUrl })
    const { item } = live.parse(valid, viewer())
    const verdict = live.verdict(await exchange(live, [item]))
    assert.deepEqual(verdict, { kind: 'misconfigured', reason: 'HTTP 401: unauthorized' })
    assert.equal(sandbox.ens.impressions.length, 0)
  })

  it('is told what is wrong with an impression', async () => {
    const live = ens({ apiKey: sandbox.ens.apiKey, baseUrl: sandbox.ens.baseUrl })
    const verdict = live.verdict(await exchange(live, [{ campaignId: 1, placement: '' }]))
    assert.deepEqual(verdict, { kind: 'rejected', reason: 'HTTP 400: placement is required' })
  })

  for (const status of [429, 500, 503]) {
    it(`is told to try again by ${status}`, async () => {
      const live = ens({ apiKey: sandbox.ens.apiKey, baseUrl: sandbox.ens.baseUrl })
      sandbox.ens.fault({ status, headers: { 'retry-after': '5' } })
      const { item } = live.parse(valid, viewer())
      const verdict = live.verdict(await exchange(live, [item]))
      assert.equal(verdict.kind, 'retry')
      assert.equal(verdict.kind === 'retry' && verdict.retryAfterMs, 5_000)
    })
  }

  it('goes below the path of its base URL', async () => {
    const live = ens({ apiKey: sandbox.ens.apiKey, baseUrl: `${sandbox.ens.baseUrl}/proxy/` })
    const { item } = live.parse(valid, viewer())
    await exchange(live, [item])
    assert.equal(sandbox.ens.calls[0]?.path, '/proxy/api/v1/campaigns/impression')
  })
})
