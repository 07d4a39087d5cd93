import assert from 'node:assert/strict'
import { once } from 'node:events'
import { inspect } from 'node:util'
import {
  type CustomNetworkOptions,
  type CustomRequest,
  type CustomVerdict,
  type Sandbox,
  startSandbox,
} from '../../lib/sandbox/sandbox.js'
import { parsePort, sendOverSocket } from './caller.js'

const PATH = '/v1/views'

describe("The sandbox's network of the user's own", () => {
  let sandbox: Sandbox<'acme'>

  const start = async (
    verdict: CustomNetworkOptions['verdict'],
    options: Partial<CustomNetworkOptions> = {},
  ) => {
    sandbox = await startSandbox({ networks: { acme: { path: PATH, verdict, ...options } } })
    return sandbox.networks.acme
  }
  afterEach(() => sandbox?.close())

  const send = (body: unknown, headers: Record<string, string> = {}, path = PATH) =>
    fetch(sandbox.networks.acme.baseUrl + path, {
      method: 'POST',
      headers: { 'acme-key': sandbox.networks.acme.apiKey, ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })

  it('answers and counts as its verdict says', async () => {
    const acme = await start(({ body }) => ({
      status: 202,
      headers: { 'X-Batch': '7' },
      body: { ok: true },
      counted: (body as { views: string[] }).views,
    }))
    const response = await send({ views: ['spring-seeds', 'sound-roofs'] })
    assert.equal(response.status, 202)
    assert.equal(response.headers.get('x-batch'), '7')
    assert.equal(response.headers.get('content-type'), 'application/json')
    assert.deepEqual(await response.json(), { ok: true })
    await acme.received(2)
    assert.deepEqual(
      acme.impressions.map(({ campaignId, call }) => [campaignId, call]),
      [
        ['spring-seeds', 1],
        ['sound-roofs', 1],
      ],
    )
    assert.deepEqual(acme.calls[0]?.campaigns, ['spring-seeds', 'sound-roofs'])
  })

  it('counts impressions with fields, and sends 200 without a body by default', async () => {
    const acme = await start(() => ({ counted: [{ campaignId: 7, slot: 'top' }] }))
    const response = await send('')
    assert.deepEqual([response.status, await response.text()], [200, ''])
    const [{ at, ...impression } = { at: 0 }] = acme.impressions
    assert.deepEqual(impression, { campaignId: 7, slot: 'top', call: 1 })
  })

  it('says itself when and in which call an impression counted', async () => {
    const acme = await start(() => ({ counted: [{ campaignId: 7, at: 'noon', call: 99 }] }))
    await send('')
    assert.equal(typeof acme.impressions[0]?.at, 'number')
    assert.equal(acme.impressions[0]?.call, 1)
  })

  it('answers 500 if its verdict repeats a body that is nested too deeply', async () => {
    await start(({ body }) => ({ body }))
    assert.equal((await send(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)).status, 500)
    assert.equal((await send({ a: 1 })).status, 200)
  })

  it('passes the whole request to its verdict, and knows the key in any header', async () => {
    const requests: CustomRequest[] = []
    const acme = await start((request) => {
      requests.push(request)
      return {}
    })
    await send({ id: 1 }, {}, `${PATH}?batch=1`)
    await send('plain', { 'acme-key': 'x', authorization: `Bearer ${acme.apiKey}` })
    await send('', { 'acme-key': 'wrong' })
    assert.deepEqual(
      requests.map(({ method, path, body }) => [method, path, body]),
      [
        ['POST', `${PATH}?batch=1`, { id: 1 }],
        ['POST', PATH, 'plain'],
        ['POST', PATH, undefined],
      ],
    )
    assert.equal(requests[0]?.headers['acme-key'], acme.apiKey)
    assert.deepEqual(
      requests.map(({ authorization }) => authorization),
      ['right', 'right', 'wrong'],
    )
  })

  it('answers 404 on every other path and does not ask its verdict', async () => {
    const acme = await start(() => assert.fail())
    assert.equal((await send('', {}, '/v1/other')).status, 404)
    assert.deepEqual(acme.totals.ends, { '404': 1 })
  })

  it('has a port, a key and environment variables of its own', async () => {
    sandbox = await startSandbox({
      networks: { acme: { path: PATH, apiKey: 'own-key', verdict: () => ({}) } },
    })
    const { acme } = sandbox.networks
    assert.equal(sandbox.env.ACME_API_KEY, 'own-key')
    assert.equal(sandbox.env.ACME_BASE_URL, acme.baseUrl)
    const ports = [sandbox.url, sandbox.ens.baseUrl, sandbox.closient.baseUrl, acme.baseUrl]
    assert.equal(new Set(ports.map(parsePort)).size, 4)

    await using other = await startSandbox({
      networks: { 'my-net': { path: '/', verdict: () => ({}) } },
    })
    assert.equal(other.env.MY_NET_API_KEY, 'sandbox-my-net-key')
  })

  it('has faults and refuses connections, like the built-in networks', async () => {
    const acme = await start(() => ({ status: 204, counted: ['a'] }))
    acme.fault({ status: 500 }, { times: 1 })
    const failed = await send('')
    assert.deepEqual(
      [failed.status, await failed.json()],
      [500, { error: 'Internal Server Error' }],
    )
    acme.fault({ status: 502 }, { times: 1 })
    assert.match(await (await send('')).text(), /502 Bad Gateway/)
    assert.equal((await send('')).status, 204)
    assert.equal(acme.totals.impressions, 1)
    const accept = await sandbox.refuse()
    await assert.rejects(send(''))
    await accept()
    sandbox.reset()
    assert.equal(acme.totals.calls, 0)
  })

  it('refuses a foreign Host, as sent by DNS rebinding', async () => {
    const acme = await start(() => ({ counted: ['a'] }))
    const port = parsePort(acme.baseUrl)
    const { received } = await sendOverSocket(
      port,
      `GET ${PATH} HTTP/1.1\r\nHost: evil.example:${port}\r\nConnection: close\r\n\r\n`,
    )
    assert.match(received, /^HTTP\/1\.1 403 /)
    assert.equal(acme.totals.calls, 0)
  })

  it('stores its key nowhere, wherever a caller puts it', async () => {
    const acme = await start(({ body }) => ({ counted: [String(body)] }), { apiKey: 'canary-key' })
    await send('canary-key', { 'x-note': 'is canary-key' }, `${PATH}?key=canary-key`)
    await send('', { 'acme-signature': 'canary' })
    const stored = inspect([acme.calls, acme.impressions], { depth: 9 })
    assert.equal(stored.includes('canary'), false, stored)
    assert.equal(acme.impressions[0]?.campaignId, '[redacted]')
  })

  const wrong: [description: string, verdict: () => unknown, message: RegExp][] = [
    ['throws', () => assert.fail('canary-key is wrong'), /failed: \[redacted\] is wrong/],
    [
      'throws a message that is cut in the middle of the key',
      () => assert.fail(`${'x'.repeat(195)} canary-key`),
      /failed: x{195} \[red…$/,
    ],
    ['returns a promise', async () => assert.fail(), /expected an object, not a promise/],
    ['returns nothing', () => undefined, /result: .*expected object/i],
    ['returns a wrong status', () => ({ status: 99 }), /status: /],
    ['returns a wrong header', () => ({ headers: { a: '\n' } }), /headers\.a: is not a header/],
    ['returns a body that is no JSON', () => ({ body: 1n }), /BigInt/],
    ['returns a function as its body', () => ({ body: () => '' }), /body: expected text or JSON/],
    ['returns a header for trailers', () => ({ headers: { Trailer: 'a' } }), /headers\.Trailer: /],
    ['counts something without a campaign', () => ({ counted: [{}] }), /counted\.0/],
  ]
  for (const [description, verdict, message] of wrong) {
    it(`answers 500 and warns once if its verdict ${description}`, async () => {
      const acme = await start(verdict as () => CustomVerdict, { apiKey: 'canary-key' })
      const warnings: Error[] = []
      const onWarning = (warning: Error) => warnings.push(warning)
      process.on('warning', onWarning)
      const warned = once(process, 'warning')
      assert.equal((await send('')).status, 500)
      assert.equal((await send('')).status, 500)
      await warned
      process.off('warning', onWarning)
      assert.equal(warnings.length, 1)
      assert.match(warnings[0]?.message ?? '', message)
      assert.equal(acme.totals.impressions, 0)
    })
  }

  const invalid: [networks: object, message: RegExp][] = [
    [{ Acme: { path: '/', verdict: () => ({}) } }, /short lower-case name/],
    [{ ens: { path: '/', verdict: () => ({}) } }, /expected another name/],
    [
      { 'a-b': { path: '/', verdict: () => ({}) }, a_b: { path: '/', verdict: () => ({}) } },
      /names that differ in more than - and _/,
    ],
    [{ acme: { path: 'v1', verdict: () => ({}) } }, /acme\.path: expected a path/],
    [{ acme: { path: '/' } }, /acme\.verdict: expected a function/],
    [{ acme: { path: '/', verdict: () => ({}), apiKey: '' } }, /acme\.apiKey/],
  ]
  for (const [networks, message] of invalid) {
    it(`refuses ${inspect(networks)}`, async () => {
      await assert.rejects(startSandbox({ networks: networks as Record<never, never> }), {
        name: 'TypeError',
        message,
      })
    })
  }

  it('is controlled over HTTP under its name', async () => {
    const acme = await start(() => ({ counted: ['a'] }))
    const response = await fetch(`${sandbox.url}/sandbox/faults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ network: 'acme', fault: { status: 503 }, times: 1 }),
    })
    assert.equal(response.status, 201)
    assert.equal((await send('')).status, 503)
    await send('')
    const listed = await (await fetch(`${sandbox.url}/sandbox/acme`)).json()
    assert.deepEqual(listed.impressions, acme.impressions)
  })
})
