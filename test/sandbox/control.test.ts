import assert from 'node:assert/strict'
import { type Sandbox, startSandbox } from '../../lib/sandbox/sandbox.js'
import {
  CAMPAIGN,
  Caller,
  type CallerRequest,
  parsePort,
  readErrorCode,
  sendOverSocket,
} from './caller.js'

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

  const setFault = (body: unknown, changes: CallerRequest = {}) =>
    caller.control('POST', '/sandbox/faults', { body, ...changes })

  it('sets a fault for a number of calls', async () => {
    const response = await setFault({ network: 'ens', fault: { status: 503 }, times: 1 })
    assert.equal(response.status, 201)
    assert.deepEqual(sandbox.ens.faults, [
      { id: response.json().id, fault: { status: 503 }, left: 1 },
    ])
    assert.equal((await caller.ens()).status, 503)
    assert.equal((await caller.ens()).status, 200)
  })

  it('clears one fault, the faults of one network, or all faults', async () => {
    const { id } = (await setFault({ network: 'ens', fault: { status: 500 } })).json()
    await setFault({ network: 'ens', fault: { hang: true } })
    await setFault({ network: 'closient', fault: { status: 500 } })
    const countFaults = () => [sandbox.ens.faults.length, sandbox.closient.faults.length]

    await caller.control('DELETE', `/sandbox/faults?network=ens&id=${id}`)
    assert.deepEqual(countFaults(), [1, 1])
    await caller.control('DELETE', '/sandbox/faults?network=closient')
    assert.deepEqual(countFaults(), [1, 0])
    assert.equal((await caller.control('DELETE', '/sandbox/faults')).status, 204)
    assert.deepEqual(countFaults(), [0, 0])
  })

  it('refuses and accepts connections', async () => {
    const setState = (state: string) =>
      caller.control('POST', '/sandbox/connections', { body: { network: 'ens', state } })
    assert.equal((await setState('refuse')).status, 204)
    assert.equal((await setState('refuse')).status, 204)
    assert.equal(await readErrorCode(caller.ens()), 'ECONNREFUSED')
    assert.equal((await setState('accept')).status, 204)
    assert.equal((await setState('accept')).status, 204)
    assert.equal((await caller.ens()).status, 200)
    assert.equal((await setState('close-idle')).status, 204)
    assert.equal((await caller.ens()).status, 200)
  })

  it("uses up calls of Closient's rate limit", async () => {
    const response = await caller.control('POST', '/sandbox/spend', { body: { calls: 400 } })
    assert.deepEqual(response.json(), { spent: 300 })
    assert.equal((await caller.closient()).status, 429)
  })

  it('returns what a network received', async () => {
    sandbox.closient.fault({ status: 500 }, { times: 2 })
    await caller.closient()
    const fault = { id: sandbox.closient.faults[0]?.id, fault: { status: 500 }, left: 1 }
    const received = (await caller.control('GET', '/sandbox/closient')).json()
    assert.deepEqual(received.totals, { ...sandbox.closient.totals })
    assert.deepEqual(received.faults, [fault])
    assert.deepEqual(received.impressions, [])
    assert.deepEqual(received.budget, sandbox.closient.budget)
    assert.deepEqual(
      received.calls,
      sandbox.closient.calls.map((call) => ({ ...call, headers: { ...call.headers } })),
    )
    await caller.ens()
    const ens = (await caller.control('GET', '/sandbox/ens')).json()
    assert.deepEqual(ens.impressions, sandbox.ens.impressions)
    assert.equal('budget' in ens, false)
  })

  it('resets the sandbox on demand', async () => {
    await caller.ens()
    await caller.control('POST', '/sandbox/reset')
    assert.equal(sandbox.ens.totals.calls, 0)
  })

  const invalid: [
    description: string,
    path: string,
    changes: CallerRequest,
    status: number,
    error: RegExp,
  ][] = [
    ['a body that is not JSON', '/sandbox/faults', { body: '{' }, 400, /not valid JSON/],
    ['a missing network', '/sandbox/faults', { body: { fault: {} } }, 400, /network: /],
    [
      'an unknown field in the fault',
      '/sandbox/faults',
      { body: { network: 'ens', fault: { stauts: 500 } } },
      400,
      /stauts/,
    ],
    [
      'an unknown field next to the fault',
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
      'a content type that any site can send',
      '/sandbox/faults',
      { body: '{}', headers: { 'content-type': 'text/plain' } },
      415,
      /application\/json/,
    ],
    [
      'a body that is too large',
      '/sandbox/faults',
      { body: ' '.repeat(1024 * 1024 + 1) },
      413,
      /too large/,
    ],
    ['an unknown path', '/api/v1/campaigns/impression', { body: {} }, 404, /their own ports/],
  ]
  for (const [description, path, changes, status, error] of invalid) {
    it(`responds ${status} to ${description} and changes nothing`, async () => {
      const response = await caller.control('POST', path, changes)
      assert.equal(response.status, status)
      assert.match(String(response.json().error), error)
      assert.deepEqual(sandbox.ens.faults, [])
    })
  }

  it('responds 404 to an unknown fault and 400 to a missing or unknown network', async () => {
    assert.equal((await caller.control('DELETE', '/sandbox/faults?network=ens&id=99')).status, 404)
    assert.equal((await caller.control('DELETE', '/sandbox/faults?id=1')).status, 400)
    assert.equal((await caller.control('DELETE', '/sandbox/faults?network=x')).status, 400)
  })

  describe('access check', () => {
    const fault = { network: 'ens', fault: { status: 500 } }
    const buildHead = (host: string, method = 'GET', path = '/') =>
      `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`

    for (const path of ['/', '/events', '/sandbox/ens']) {
      it(`refuses a foreign Host, as sent by DNS rebinding, at ${path}`, async () => {
        const host = `sandbox.example:${parsePort(sandbox.url)}`
        const { received } = await sendOverSocket(
          parsePort(sandbox.url),
          buildHead(host, 'GET', path),
        )
        assert.match(received, /^HTTP\/1\.1 403 /)
      })
    }

    it('refuses a Host with another port', async () => {
      const { received } = await sendOverSocket(parsePort(sandbox.url), buildHead('127.0.0.1:1'))
      assert.match(received, /^HTTP\/1\.1 403 /)
    })

    it('refuses the Origin of another site', async () => {
      for (const origin of ['https://evil.example', 'null', sandbox.ens.baseUrl]) {
        assert.equal((await setFault(fault, { headers: { origin } })).status, 403, origin)
      }
      assert.deepEqual(sandbox.ens.faults, [])
    })

    it('refuses cross-site requests, including reads', async () => {
      const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }
      assert.equal((await caller.control('GET', '/events', { headers })).status, 403)
      assert.equal((await caller.control('DELETE', '/sandbox/faults', { headers })).status, 403)
    })

    it('allows its own page, the name localhost, and links from other sites', async () => {
      assert.equal((await setFault(fault, { headers: { origin: sandbox.url } })).status, 201)
      const local = buildHead(`localhost:${parsePort(sandbox.url)}`)
      assert.match(
        (await sendOverSocket(parsePort(sandbox.url), local)).received,
        /^HTTP\/1\.1 200 /,
      )
      const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }
      assert.equal((await caller.control('GET', '/', { headers })).status, 200)
    })
  })

  it('never reveals a key', async () => {
    await caller.closient({ body: { impressions: [{ campaign_id: CAMPAIGN }] } })
    for (const path of ['/', '/sandbox/ens', '/sandbox/closient']) {
      const { text } = await caller.control('GET', path)
      assert.equal(text.includes(sandbox.ens.apiKey), false, path)
      assert.equal(text.includes(sandbox.closient.apiKey), false, path)
    }
  })
})
