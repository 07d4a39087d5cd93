import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { type Fault, type Sandbox, startSandbox } from '../../lib/sandbox/sandbox.js'
import {
  buildEnsRequest,
  CAMPAIGN,
  Caller,
  OFFER,
  parsePort,
  readErrorCode,
  sendOverSocket,
} from './caller.js'

describe('A fault of the sandbox', () => {
  let sandbox: Sandbox
  let caller: Caller

  before(async () => {
    sandbox = await startSandbox()
  })
  after(() => sandbox.close())
  beforeEach(() => {
    sandbox.reset()
    caller = new Caller(sandbox)
  })
  afterEach(() => caller.close())

  const countImpressions = () => sandbox.ens.totals.impressions

  describe('responds', () => {
    it("with an error status in the network's own format, and counts nothing", async () => {
      sandbox.ens.fault({ status: 500 })
      sandbox.closient.fault({ status: 500 })
      assert.deepEqual((await caller.ens()).json(), { status: 'error', message: 'internal error' })
      const { error_code, retryable } = (await caller.closient()).json()
      assert.deepEqual({ error_code, retryable }, { error_code: 'internal_error', retryable: true })
      assert.equal(countImpressions(), 0)
      assert.deepEqual(sandbox.closient.impressions, [])
    })

    it("with a gateway's page for 502 and 504, without the network's headers", async () => {
      sandbox.closient.fault({ status: 502 }, { times: 1 })
      sandbox.closient.fault({ status: 504 }, { times: 1 })
      for (const status of [502, 504]) {
        const response = await caller.closient()
        assert.equal(response.status, status)
        assert.equal(response.headers['content-type'], 'text/html')
        assert.equal(response.headers['ratelimit-limit'], undefined)
        assert.match(response.text, new RegExp(`<title>${status} `))
      }
    })

    it('with 429 and its own Retry-After in header and body', async () => {
      sandbox.closient.fault({ status: 429, headers: { 'Retry-After': '2' } })
      const { headers, json } = await caller.closient()
      assert.equal(headers['retry-after'], '2')
      assert.equal(json().retry_after_seconds, 2)
    })

    it('with 429 and without a Retry-After that it removes', async () => {
      sandbox.closient.fault({ status: 429, headers: { 'retry-after': null } })
      const { headers, json } = await caller.closient()
      assert.equal(headers['retry-after'], undefined)
      assert.equal('retry_after_seconds' in json(), false)
    })

    it('with added, changed and removed headers', async () => {
      const headers = { 'x-new': 'a', 'RateLimit-Remaining': 'many', 'ratelimit-policy': null }
      sandbox.closient.fault({ headers })
      const response = await caller.closient()
      assert.equal(response.status, 200)
      assert.equal(response.headers['x-new'], 'a')
      assert.equal(response.headers['ratelimit-remaining'], 'many')
      assert.equal(response.headers['ratelimit-policy'], undefined)
      assert.equal(response.headers['ratelimit-limit'], '300')
    })

    it('with a body that is not JSON, and still counts', async () => {
      sandbox.ens.fault({ body: 'not json' })
      const { status, text } = await caller.ens()
      assert.deepEqual([status, text, countImpressions()], [200, 'not json', 1])
    })

    it('with an empty body', async () => {
      sandbox.ens.fault({ body: '' })
      assert.equal((await caller.ens()).text, '')
    })

    it('with 204 and no body', async () => {
      sandbox.ens.fault({ status: 204 })
      const { status, text } = await caller.ens()
      assert.deepEqual([status, text, countImpressions()], [204, '', 1])
    })

    it('late, although the impression has counted already', async () => {
      sandbox.ens.fault({ delayMs: 60_000 })
      const call = caller.ens()
      await sandbox.ens.received(1)
      assert.equal(sandbox.ens.calls[0]?.end, 'pending')
      await caller.close()
      await assert.rejects(call)
    })
  })

  describe('counts', () => {
    const cases: [fault: Fault, impressions: number][] = [
      [{ status: 500, counts: true }, 1],
      [{ status: 201 }, 1],
      [{ status: 200, counts: false }, 0],
      [{ status: 302 }, 0],
      [{ reset: 'after-read' }, 1],
      [{ reset: 'after-read', counts: false }, 0],
      [{ reset: 'mid-answer' }, 1],
      [{ reset: 'mid-answer', status: 500 }, 0],
      [{ cutOff: true }, 1],
      [{ cutOff: true, status: 503 }, 0],
      [{ raw: 'garbage' }, 1],
      [{ reset: 'before-read' }, 0],
    ]
    for (const [fault, impressions] of cases) {
      it(`${impressions} for ${JSON.stringify(fault)}`, async () => {
        sandbox.ens.fault(fault)
        await caller.ens().catch(() => {})
        assert.equal(countImpressions(), impressions)
      })
    }

    it('nothing that the network rejects', async () => {
      sandbox.ens.fault({ status: 200, counts: true })
      await caller.ens({ body: {} })
      await caller.ens({ headers: { authorization: 'Bearer wrong' } })
      assert.equal(countImpressions(), 0)
    })

    it("only the first items of a batch on demand, and Closient's count reports it", async () => {
      sandbox.closient.fault({ counts: 1 })
      const impressions = [{ campaign_id: CAMPAIGN }, { campaign_id: OFFER }]
      const response = await caller.closient({ body: { impressions } })
      assert.deepEqual(response.json(), { success: true, count: 1 })
      assert.deepEqual(
        sandbox.closient.impressions.map(({ campaignId }) => campaignId),
        [CAMPAIGN],
      )
    })
  })

  describe('as seen by a client,', () => {
    const sendCall = () => sendOverSocket(parsePort(sandbox.ens.baseUrl), buildEnsRequest(sandbox))

    it('is a reset before any byte is read, without a call', async () => {
      sandbox.ens.fault({ reset: 'before-read' }, { times: 1 })
      const { received, end } = await sendCall()
      assert.deepEqual([received, end], ['', 'ECONNRESET'])
      assert.deepEqual(sandbox.ens.totals, {
        calls: 0,
        impressions: 0,
        ends: {},
        resetConnections: 1,
      })
      assert.equal((await caller.ens()).status, 200)
    })

    it('is a reset of a kept-alive connection before its request is read', async () => {
      await caller.ens()
      sandbox.ens.fault({ reset: 'before-read' }, { times: 1 })
      assert.equal(await readErrorCode(caller.ens()), 'ECONNRESET')
      assert.equal(sandbox.ens.totals.calls, 1)
      assert.equal((await caller.ens()).status, 200)
    })

    it('is a reset after the request was read', async () => {
      sandbox.ens.fault({ reset: 'after-read' })
      const { received, end } = await sendCall()
      assert.deepEqual([received, end], ['', 'ECONNRESET'])
      const [call] = sandbox.ens.calls
      assert.deepEqual([call?.status, call?.end], [null, 'reset'])
    })

    it('is a reset during the response', async () => {
      sandbox.ens.fault({ reset: 'mid-answer' })
      const { received, end } = await sendCall()
      assert.match(received, /^HTTP\/1\.1 200 OK\r\n.*\r\n\r\n\{"status":"success"/s)
      assert.ok(!received.endsWith('}'))
      assert.equal(end, 'ECONNRESET')
      const [call] = sandbox.ens.calls
      assert.deepEqual([call?.status, call?.end], [200, 'reset'])
    })

    it('is a response that ends early', async () => {
      sandbox.ens.fault({ cutOff: true })
      const { received, end } = await sendCall()
      assert.match(received, /content-length: 64\r\n/)
      assert.match(received, /\r\n\r\n\{"status":"success"/)
      assert.ok(!received.endsWith('}'))
      assert.equal(end, 'FIN')
      assert.equal(sandbox.ens.calls[0]?.end, 'cut-off')
    })

    it('is bytes that are not HTTP', async () => {
      sandbox.ens.fault({ raw: 'HTTP/1.1 20' })
      assert.deepEqual(await sendCall(), { received: 'HTTP/1.1 20', end: 'FIN' })
    })

    it('is a request that is read and never answered', async () => {
      sandbox.ens.fault({ hang: true })
      const socket = connect(parsePort(sandbox.ens.baseUrl), '127.0.0.1')
      let received = 0
      socket.on('data', (chunk) => {
        received += chunk.length
      })
      socket.write(buildEnsRequest(sandbox))
      await sandbox.ens.received(1)
      // Another call is answered in the meantime, so the sandbox had time to answer this one too.
      sandbox.ens.clearFaults()
      await caller.ens()
      assert.deepEqual([received, socket.readyState], [0, 'open'])
      assert.equal(sandbox.ens.calls[0]?.end, 'hung')
      socket.destroy()
      await once(socket, 'close')
    })
  })

  describe('applies', () => {
    it('to the given number of calls', async () => {
      sandbox.ens.fault({ status: 503 }, { times: 2 })
      const responses = [await caller.ens(), await caller.ens(), await caller.ens()]
      assert.deepEqual(
        responses.map(({ status }) => status),
        [503, 503, 200],
      )
    })

    it('to every call until it is cleared', async () => {
      const clear = sandbox.ens.fault({ status: 503 })
      assert.equal((await caller.ens()).status, 503)
      assert.equal((await caller.ens()).status, 503)
      clear()
      assert.equal((await caller.ens()).status, 200)
      assert.deepEqual(sandbox.ens.faults, [])
    })

    it('only to the calls that its condition selects', async () => {
      const when = ({ body }: { body: unknown }) => JSON.stringify(body).includes(OFFER)
      sandbox.closient.fault({ status: 404 }, { when })
      assert.equal((await caller.closient()).status, 200)
      const body = { impressions: [{ campaign_id: OFFER }] }
      assert.equal((await caller.closient({ body })).status, 404)
    })

    it('in the order in which faults were set', async () => {
      sandbox.ens.fault({ status: 500 }, { times: 1 })
      sandbox.ens.fault({ status: 503 }, { times: 1 })
      assert.deepEqual([(await caller.ens()).status, (await caller.ens()).status], [500, 503])
    })

    it('to one network only', async () => {
      sandbox.ens.fault({ status: 500 })
      assert.equal((await caller.closient()).status, 200)
    })
  })

  it('is stored with the call in the ledger', async () => {
    sandbox.ens.fault({ status: 500 })
    await caller.ens()
    assert.deepEqual(sandbox.ens.calls[0]?.fault, { status: 500 })
  })

  const invalid: [fault: unknown, message: RegExp][] = [
    [{ status: 99 }, /status: /],
    [{ stauts: 500 }, /stauts/],
    [{ reset: 'sometimes' }, /reset: /],
    [{ hang: true, cutOff: true }, /at most one/],
    [{ reset: 'before-read', status: 500 }, /status cannot be combined with reset: 'before-read'/],
    [{ headers: { 'bad name': 'x' } }, /headers/],
    [{ headers: { x: 'two\r\nlines' } }, /headers\.x: is not a header value/],
    [{ delayMs: -1 }, /delayMs: /],
    [{ delayMs: 2 ** 31 }, /delayMs: /],
  ]
  for (const [fault, message] of invalid) {
    it(`is rejected if invalid: ${JSON.stringify(fault)}`, () => {
      assert.throws(() => sandbox.ens.fault(fault as Fault), { name: 'TypeError', message })
      assert.deepEqual(sandbox.ens.faults, [])
    })
  }

  it('is rejected if it has a condition but reads no call', () => {
    const setFault = () => sandbox.ens.fault({ reset: 'before-read' }, { when: () => true })
    assert.throws(setFault, /when cannot be combined with reset: 'before-read'/)
  })
})
