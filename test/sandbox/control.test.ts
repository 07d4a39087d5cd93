import assert from 'node:assert/strict'
import { type Sandbox, startSandbox } from '../../lib/sandbox/sandbox.js'
import { CAMPAIGN, Caller, errorCode, overSocket, portOf, type Sent } from './caller.js'

describe("The sandbox's control over HTTP", () => {
  let sandbox: Sandbox
  let caller: Caller

  before(async () => {
    sandbox = await startSandbox({ now: () => 1_790_000_000_000 })
  })
  after(() => sandbox.close())
  beforeEach(() => {
    sandbox.reset()
    caller = new Caller(sandbox)
  })
  afterEach(() => caller.close())

  const setFault = (body: unknown, sent: Sent = {}) =>
    caller.control('POST', '/sandbox/faults', { body, ...sent })

  it('sets a fault, for as many calls as asked', async () => {
    const answer = await setFault({ network: 'ens', fault: { status: 503 }, times: 1 })
    assert.equal(answer.status, 201)
    assert.deepEqual(sandbox.ens.faults, [
      { id: answer.json().id, fault: { status: 503 }, left: 1 },
    ])
    assert.equal((await caller.ens()).status, 503)
    assert.equal((await caller.ens()).status, 200)
  })

  it('clears one fault, those of a network, or all', async () => {
    const { id } = (await setFault({ network: 'ens', fault: { status: 500 } })).json()
    await setFault({ network: 'ens', fault: { hang: true } })
    await setFault({ network: 'closient', fault: { status: 500 } })
    const left = () => [sandbox.ens.faults.length, sandbox.closient.faults.length]

    await caller.control('DELETE', `/sandbox/faults?network=ens&id=${id}`)
    assert.deepEqual(left(), [1, 1])
    await caller.control('DELETE', '/sandbox/faults?network=closient')
    assert.deepEqual(left(), [1, 0])
    assert.equal((await caller.control('DELETE', '/sandbox/faults')).status, 204)
    assert.deepEqual(left(), [0, 0])
  })

  it('refuses and accepts connections', async () => {
    const to = (state: string) =>
      caller.control('POST', '/sandbox/connections', { body: { network: 'ens', state } })
    assert.equal((await to('refuse')).status, 204)
    assert.equal((await to('refuse')).status, 204)
    assert.equal(await errorCode(caller.ens()), 'ECONNREFUSED')
    assert.equal((await to('accept')).status, 204)
    assert.equal((await to('accept')).status, 204)
    assert.equal((await caller.ens()).status, 200)
    assert.equal((await to('close-idle')).status, 204)
    assert.equal((await caller.ens()).status, 200)
  })

  it("spends Closient's budget", async () => {
    const answer = await caller.control('POST', '/sandbox/spend', { body: { calls: 400 } })
    assert.deepEqual(answer.json(), { spent: 300 })
    assert.equal((await caller.closient()).status, 429)
  })

  it('shows what a network received', async () => {
    sandbox.closient.fault({ status: 500 }, { times: 2 })
    await caller.closient()
    const fault = { id: sandbox.closient.faults[0]?.id, fault: { status: 500 }, left: 1 }
    const shown = (await caller.control('GET', '/sandbox/closient')).json()
    assert.deepEqual(shown.totals, { ...sandbox.closient.totals })
    assert.deepEqual(shown.faults, [fault])
    assert.deepEqual(shown.impressions, [])
    assert.deepEqual(shown.budget, sandbox.closient.budget)
    assert.deepEqual(
      shown.calls,
      sandbox.closient.calls.map((call) => ({ ...call, headers: { ...call.headers } })),
    )
    await caller.ens()
    const ens = (await caller.control('GET', '/sandbox/ens')).json()
    assert.deepEqual(ens.impressions, sandbox.ens.impressions)
    assert.equal('budget' in ens, false)
  })

  it('forgets everything on demand', async () => {
    await caller.ens()
    await caller.control('POST', '/sandbox/reset')
    assert.equal(sandbox.ens.totals.calls, 0)
  })

  const wrong: [what: string, path: string, sent: Sent, status: number, error: RegExp][] = [
    ['no JSON', '/sandbox/faults', { body: '{' }, 400, /not valid JSON/],
    ['no network', '/sandbox/faults', { body: { fault: {} } }, 400, /network: /],
    [
      'an unknown field of a fault',
      '/sandbox/faults',
      { body: { network: 'ens', fault: { stauts: 500 } } },
      400,
      /stauts/,
    ],
    [
      'an unknown field beside it',
      '/sandbox/faults',
      { body: { network: 'ens', fault: {}, when: 1 } },
      400,
      /when/,
    ],
    [
      'an unknown state',
      '/sandbox/connections',
      { body: { network: 'ens', state: 'x' } },
      400,
      /state: /,
    ],
    [
      'a form, as any page can send it',
      '/sandbox/faults',
      { body: '{}', headers: { 'content-type': 'text/plain' } },
      415,
      /application\/json/,
    ],
    ['a large body', '/sandbox/faults', { body: ' '.repeat(1024 * 1024 + 1) }, 413, /too large/],
    ['another path', '/api/v1/campaigns/impression', { body: {} }, 404, /ports of their own/],
  ]
  for (const [what, path, sent, status, error] of wrong) {
    it(`answers ${status} to ${what}, and changes nothing`, async () => {
      const answer = await caller.control('POST', path, sent)
      assert.equal(answer.status, status)
      assert.match(String(answer.json().error), error)
      assert.deepEqual(sandbox.ens.faults, [])
    })
  }

  it('answers 404 where there is no such fault, and 400 where it does not say whose', async () => {
    assert.equal((await caller.control('DELETE', '/sandbox/faults?network=ens&id=99')).status, 404)
    assert.equal((await caller.control('DELETE', '/sandbox/faults?id=1')).status, 400)
    assert.equal((await caller.control('DELETE', '/sandbox/faults?network=x')).status, 400)
  })

  describe('refuses', () => {
    const fault = { network: 'ens', fault: { status: 500 } }
    const head = (host: string, method = 'GET', path = '/') =>
      `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`

    for (const path of ['/', '/events', '/sandbox/ens']) {
      it(`a Host that is not the sandbox, as DNS rebinding sends it, at ${path}`, async () => {
        const host = `sandbox.example:${portOf(sandbox.url)}`
        const { received } = await overSocket(portOf(sandbox.url), head(host, 'GET', path))
        assert.match(received, /^HTTP\/1\.1 403 /)
      })
    }

    it('a Host with another port', async () => {
      const { received } = await overSocket(portOf(sandbox.url), head('127.0.0.1:1'))
      assert.match(received, /^HTTP\/1\.1 403 /)
    })

    it('the Origin of another site', async () => {
      for (const origin of ['https://evil.example', 'null', sandbox.ens.baseUrl]) {
        assert.equal((await setFault(fault, { headers: { origin } })).status, 403, origin)
      }
      assert.deepEqual(sandbox.ens.faults, [])
    })

    it('what a browser says comes from another site, be it a read', async () => {
      const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }
      assert.equal((await caller.control('GET', '/events', { headers })).status, 403)
      assert.equal((await caller.control('DELETE', '/sandbox/faults', { headers })).status, 403)
    })

    it('neither its own page, nor localhost by name, nor a link that leads to it', async () => {
      assert.equal((await setFault(fault, { headers: { origin: sandbox.url } })).status, 201)
      const local = head(`localhost:${portOf(sandbox.url)}`)
      assert.match((await overSocket(portOf(sandbox.url), local)).received, /^HTTP\/1\.1 200 /)
      const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }
      assert.equal((await caller.control('GET', '/', { headers })).status, 200)
    })
  })

  it('shows no key anywhere', async () => {
    await caller.closient({ body: { impressions: [{ campaign_id: CAMPAIGN }] } })
    for (const path of ['/', '/sandbox/ens', '/sandbox/closient']) {
      const { text } = await caller.control('GET', path)
      assert.equal(text.includes(sandbox.ens.apiKey), false, path)
      assert.equal(text.includes(sandbox.closient.apiKey), false, path)
    }
  })
})
