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

function buildBody(fields: Fields, person: Partial<Viewer> = {}): string {
  const { item } = network.parse(fields, viewer(person))
  return network.request([item]).body
}

/** The message of the error for `fields`, which must be about `field`. */
function messageFor(fields: Fields, field: string): string {
  try {
    network.parse(fields, viewer())
  } catch (error) {
    assert.ok(error instanceof InvalidImpressionError)
    assert.equal(error.field, field)
    return error.message
  }
  assert.fail('expected an InvalidImpressionError')
}

const valid = { campaignId: 1, placement: 'header_banner' }

/** The messages about the fields that `fields` counts without. */
function ignoredIn(fields: Fields): string[] {
  return (network.parse(fields, viewer()).ignored ?? []).map(({ message }) => message)
}

describe('ens().request', () => {
  it('is the documented example, byte for byte', () => {
    const { item } = network.parse({ ...valid, location: 'US', device: 'mobile' }, viewer())
    assert.deepEqual(network.request([item]), {
      method: 'POST',
      path: '/api/v1/campaigns/impression',
      headers: { authorization: 'Bearer the-key', 'content-type': 'application/json' },
      body: '{"campaignId":1,"placement":"header_banner","location":"US","device":"mobile"}',
    })
    assert.equal(network.baseUrl, 'https://ads.enslive.live')
  })

  it('omits what is not known', () => {
    assert.equal(buildBody(valid), '{"campaignId":1,"placement":"header_banner"}')
    assert.equal(
      buildBody({ ...valid, location: undefined, device: undefined }),
      '{"campaignId":1,"placement":"header_banner"}',
    )
  })

  it('contains the country and device of the viewer', () => {
    assert.equal(
      buildBody(valid, { country: 'FR', device: 'tablet', searchQuery: 'not for ENS' }),
      '{"campaignId":1,"placement":"header_banner","location":"FR","device":"tablet"}',
    )
  })

  it('prefers the input to what the request says', () => {
    assert.equal(
      buildBody(
        { ...valid, location: 'GB', device: 'desktop' },
        { country: 'FR', device: 'tablet' },
      ),
      '{"campaignId":1,"placement":"header_banner","location":"GB","device":"desktop"}',
    )
  })

  it('carries one impression and is sent at once', () => {
    assert.equal(network.maxBatch, 1)
    assert.equal(network.flush, 'immediate')
    assert.deepEqual(network.windows, [])
  })

  it('contains the placement unchanged', () => {
    for (const placement of ['a', 'Ünïcode 😀', ' padded ', '"\\/', 'x'.repeat(256)]) {
      assert.equal(JSON.parse(buildBody({ ...valid, placement })).placement, placement)
    }
  })
})

describe('ens().parse', () => {
  for (const campaignId of [1, 42, Number.MAX_SAFE_INTEGER]) {
    it(`accepts the campaign ${campaignId}`, () => {
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
    it(`rejects the campaign ${String(campaignId)} (${typeof campaignId})`, () => {
      assert.match(
        messageFor({ ...valid, campaignId }, 'campaignId'),
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
    it(`rejects the placement ${JSON.stringify(placement)?.slice(0, 30)}`, () => {
      assert.match(
        messageFor({ ...valid, placement }, 'placement'),
        /^placement: expected a placement id of 1 to 256 printable characters, got /,
      )
    })
  }

  for (const location of ['US', 'GB', 'FR', 'GR', 'AX', 'AQ', 'TW', 'SS']) {
    it(`accepts the location ${location}`, () => {
      assert.equal(JSON.parse(buildBody({ ...valid, location })).location, location)
    })
  }

  for (const [location, hint] of [
    ['UK', 'the United Kingdom is GB'],
    ['uk', 'the United Kingdom is GB'],
    ['EL', 'Greece is GR'],
    ['us', 'write US'],
    ['Gb', 'write GB'],
  ] as const) {
    it(`gives a hint for the location ${location}: ${hint}`, () => {
      const [message = ''] = ignoredIn({ ...valid, location })
      assert.ok(message.startsWith('location: '), message)
      assert.ok(message.includes(`(${hint})`), message)
      assert.ok(message.endsWith(`got "${location}"`), message)
    })
  }

  for (const location of ['', 'XX', 'ZZ', 'EU', 'T1', 'XK', 'USA', 'U', ' US', 'US\n', 1, []]) {
    it(`ignores the location ${JSON.stringify(location)}`, () => {
      const [message = '', ...more] = ignoredIn({ ...valid, location })
      assert.match(
        message,
        /^location: expected an ISO 3166-1 alpha-2 country code such as US, got /,
      )
      assert.deepEqual(more, [])
      assert.deepEqual(JSON.parse(buildBody({ ...valid, location })), valid)
    })
  }

  for (const device of ['mobile', 'desktop', 'tablet']) {
    it(`accepts the device ${device}`, () => {
      assert.equal(JSON.parse(buildBody({ ...valid, device })).device, device)
    })
  }

  for (const device of ['phone', 'Mobile', '', 'tv', 1, ['mobile']]) {
    it(`ignores the device ${JSON.stringify(device)}`, () => {
      const [message = '', ...more] = ignoredIn({ ...valid, device })
      assert.match(message, /^device: expected 'mobile', 'desktop' or 'tablet', got /)
      assert.deepEqual(more, [])
      assert.deepEqual(JSON.parse(buildBody({ ...valid, device })), valid)
    })
  }

  it('takes null for not given', () => {
    assert.deepEqual(ignoredIn({ ...valid, location: null, device: null }), [])
    assert.equal(
      buildBody({ ...valid, location: null, device: null }, { country: 'FR', device: 'tablet' }),
      '{"campaignId":1,"placement":"header_banner","location":"FR","device":"tablet"}',
    )
  })

  it('uses what the request says instead of a value that it ignores', () => {
    assert.equal(
      buildBody({ ...valid, location: 'UK', device: 'phone' }, { country: 'GB', device: 'mobile' }),
      '{"campaignId":1,"placement":"header_banner","location":"GB","device":"mobile"}',
    )
  })

  it('rejects a wrong placement whatever else is wrong', () => {
    messageFor({ ...valid, placement: '', location: 'UK', device: 'phone' }, 'placement')
  })

  it('reports one wrong field, the campaign first', () => {
    messageFor({ campaignId: 'x', placement: '', location: 'UK', device: 'phone' }, 'campaignId')
  })

  it('recognizes its inputs by a number as campaign, or by a placement', () => {
    assert.equal(network.match({ campaignId: 1 }), 'certain')
    assert.equal(network.match({ campaignId: Number.NaN }), 'certain')
    assert.equal(network.match({ campaignId: '42', placement: 'a' }), 'likely')
    assert.equal(network.match({ campaignId: '42' }), 'no')
    assert.equal(network.match({}), 'no')
  })
})

describe('ens().verdict', () => {
  const error = (message: string) => ({ status: 'error', message })
  const unexplained = (status: number) =>
    `http-${status}: the network refused it and did not say why`

  for (const [title, given, kind, reason] of [
    [
      'the documented 200',
      answer(200, { status: 'success', message: 'Impression tracked successfully' }),
      'delivered',
      'http-200: the network accepted it',
    ],
    ['a 200 with an empty body', answer(200), 'delivered', 'http-200: the network accepted it'],
    [
      'a 200 with a truncated body',
      answer(200, '{"status":"err'),
      'delivered',
      'http-200: the network accepted it',
    ],
    [
      'a 200 with an array',
      answer(200, '[{"status":"error"}]'),
      'delivered',
      'http-200: the network accepted it',
    ],
    ['a 201', answer(201, { status: 'success' }), 'delivered', 'http-201: the network accepted it'],
    [
      'an error with 200',
      answer(200, error('campaign has ended')),
      'rejected',
      'http-200: campaign has ended',
    ],
    [
      'an error with 200 and spaces',
      answer(200, '{ "status" : "error" }'),
      'rejected',
      unexplained(200),
    ],
    [
      'an error with 200 and no message',
      answer(200, { status: 'error' }),
      'rejected',
      unexplained(200),
    ],
    [
      'the documented 400',
      answer(400, error('campaignId is required')),
      'rejected',
      'http-400: campaignId is required',
    ],
    [
      'the documented 401',
      answer(401, error('unauthorized')),
      'misconfigured',
      'http-401: unauthorized',
    ],
    ['a 403', answer(403, error('forbidden')), 'misconfigured', 'http-403: forbidden'],
    ['a 429', answer(429, error('slow down')), 'retry', 'http-429: slow down'],
    ['a 500', answer(500, error('oops')), 'retry', 'http-500: oops'],
    ['a 503', answer(503, error('maintenance')), 'retry', 'http-503: maintenance'],
    [
      "a gateway's 502",
      answer(502, '<html>Bad Gateway</html>'),
      'uncertain',
      'http-502: a gateway or the network failed',
    ],
    [
      "a gateway's 504 in JSON",
      answer(504, { message: 'timeout' }),
      'uncertain',
      'http-504: a gateway or the network failed',
    ],
    ["ENS's own 502", answer(502, error('try later')), 'retry', 'http-502: try later'],
    [
      'a message that is not a string',
      answer(400, { status: 'error', message: {} }),
      'rejected',
      unexplained(400),
    ],
  ] as const) {
    it(`judges ${title} as ${kind}`, () => {
      assert.deepEqual(network.verdict(given), { kind, reason })
    })
  }

  it('waits for Retry-After', () => {
    assert.deepEqual(network.verdict(answer(429, error('slow down'), { 'retry-after': '7' })), {
      kind: 'retry',
      reason: 'http-429: slow down',
      retryAfterMs: 7_000,
    })
  })

  it('suggests for a redirect that the base URL is wrong', () => {
    const verdict = network.verdict(answer(301, '', { location: 'https://elsewhere.example' }))
    assert.equal(verdict.kind, 'misconfigured')
    assert.match(verdict.reason, /^http-301: a redirect; is the base URL right\?$/)
  })
})

describe('ens(), against the sandbox', () => {
  let sandbox: Sandbox
  before(async () => {
    sandbox = await startSandbox()
  })
  after(() => sandbox.close())
  beforeEach(() => sandbox.reset())

  it('sends an impression that is counted once, as written', async () => {
    const live = ens({ apiKey: sandbox.ens.apiKey, baseUrl: sandbox.ens.baseUrl })
    const { item } = live.parse({ ...valid, location: 'GB', device: 'tablet' }, viewer())
    const answered = await exchange(live, [item])

    assert.deepEqual(live.verdict(answered), {
      kind: 'delivered',
      reason: 'http-200: the network accepted it',
    })
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

  it('is misconfigured with a wrong key', async () => {
    const live = ens({ apiKey: 'wrong', baseUrl: sandbox.ens.baseUrl })
    const { item } = live.parse(valid, viewer())
    const verdict = live.verdict(await exchange(live, [item]))
    assert.deepEqual(verdict, { kind: 'misconfigured', reason: 'http-401: unauthorized' })
    assert.equal(sandbox.ens.impressions.length, 0)
  })

  it('reports what is wrong with an impression', async () => {
    const live = ens({ apiKey: sandbox.ens.apiKey, baseUrl: sandbox.ens.baseUrl })
    const verdict = live.verdict(await exchange(live, [{ campaignId: 1, placement: '' }]))
    assert.deepEqual(verdict, { kind: 'rejected', reason: 'http-400: placement is required' })
  })

  for (const status of [429, 500, 503]) {
    it(`retries after ${status}`, async () => {
      const live = ens({ apiKey: sandbox.ens.apiKey, baseUrl: sandbox.ens.baseUrl })
      sandbox.ens.fault({ status, headers: { 'retry-after': '5' } })
      const { item } = live.parse(valid, viewer())
      const verdict = live.verdict(await exchange(live, [item]))
      assert.equal(verdict.kind, 'retry')
      assert.equal(verdict.kind === 'retry' && verdict.retryAfterMs, 5_000)
    })
  }

  it('keeps the path of the base URL', async () => {
    const live = ens({ apiKey: sandbox.ens.apiKey, baseUrl: `${sandbox.ens.baseUrl}/proxy/` })
    const { item } = live.parse(valid, viewer())
    await exchange(live, [item])
    assert.equal(sandbox.ens.calls[0]?.path, '/proxy/api/v1/campaigns/impression')
  })
})
