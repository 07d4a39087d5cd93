import assert from 'node:assert/strict'
import { systemClock } from '../../../lib/clock.js'
import type { Transport } from '../../../lib/delivery/call/transport.js'
import { type Sandbox, startSandbox } from '../../../lib/sandbox/sandbox.js'
import { impression, outlineOf, send, transportTo, turn } from '../sending.js'
import { VirtualClock } from '../virtual-clock.js'
import { startRawServer } from './raw-server.js'

describe('the transport', () => {
  let sandbox: Sandbox
  const opened: Transport[] = []

  function open(baseUrl = sandbox.ens.baseUrl, connections = 4, clock = systemClock) {
    const transport = transportTo(baseUrl, { connections, clock })
    opened.push(transport)
    return transport
  }

  before(async () => {
    sandbox = await startSandbox()
  })
  afterEach(async () => {
    for (const transport of opened.splice(0)) await transport.destroy()
    sandbox.reset()
  })
  after(() => sandbox.close())

  it('hands on status, headers and body of an answer, and when it came', async () => {
    const clock = new VirtualClock()
    const end = await send(open(sandbox.ens.baseUrl, 4, clock))
    assert('answer' in end)
    assert.equal(end.answer.status, 200)
    assert.equal(end.answer.headers['content-type'], 'application/json')
    assert.match(end.answer.body, /Impression tracked/)
    assert.equal(end.answer.atMs, clock.now())
    assert.equal(clock.pendingTimers, 0)
  })

  it('puts the base URL’s own path before that of the request', async () => {
    await send(open(`${sandbox.ens.baseUrl}/mock/`))
    assert.equal(sandbox.ens.calls[0]?.path, '/mock/api/v1/campaigns/impression')
  })

  it('says never sent of a refused connection', async () => {
    const listenAgain = await sandbox.ens.refuse()
    assert.deepEqual(outlineOf(await send(open())), ['ECONNREFUSED', false])
    await listenAgain()
    assert.equal(sandbox.ens.totals.calls, 0)
  })

  it('says never sent of a name that does not resolve', async () => {
    const end = await send(open('http://network.invalid'))
    assert('error' in end)
    assert.match(`${end.error.code}`, /^(ENOTFOUND|EAI_AGAIN)$/)
    assert.equal(end.sent, false)
  })

  it('says never sent of a request that HTTP does not allow', async () => {
    const request = { ...impression(), headers: { 'x-slot': 'a\r\nb: c' } }
    assert.deepEqual(outlineOf(await send(open(), request)), ['UND_ERR_INVALID_ARG', false])
  })

  it('says never sent of calls after it was destroyed', async () => {
    const transport = open()
    await transport.destroy()
    assert.deepEqual(outlineOf(await send(transport)), ['UND_ERR_DESTROYED', false])
  })

  it('says sent of a connection that is reset as soon as it stands: who knows', async () => {
    sandbox.ens.fault({ reset: 'before-read' }, { times: 1 })
    const end = await send(open())
    assert('error' in end)
    // Whether writing failed already depends on which was faster.
    assert.match(`${end.error.code}`, /^(ECONNRESET|EPIPE|UND_ERR_SOCKET)$/)
    assert.equal(sandbox.ens.totals.calls, 0)
    await turn()
    assert.equal(sandbox.ens.totals.calls, 0, 'it was not sent again')
  })

  for (const [says, fault, expected] of [
    ['a reset after the request was read', { reset: 'after-read' }, ['ECONNRESET', true]],
    ['what is not HTTP', { raw: 'garbage\r\n\r\n' }, [undefined, true]],
    ['an end without any answer', { raw: '' }, ['UND_ERR_SOCKET', true]],
    ['a head that broke off', { raw: 'HTTP/1.1 200 OK\r\ncontent-le' }, ['UND_ERR_SOCKET', true]],
  ] as const) {
    it(`says sent of ${says}, and sends nothing twice`, async () => {
      sandbox.ens.fault(fault)
      assert.deepEqual(outlineOf(await send(open())), expected)
      await turn()
      assert.equal(sandbox.ens.totals.calls, 1)
    })
  }

  for (const [says, fault, status] of [
    ['reset mid-answer', { reset: 'mid-answer' }, 200],
    ['cut off', { cutOff: true }, 200],
    ['cut off, a refusal', { cutOff: true, status: 500 }, 500],
  ] as const) {
    it(`takes an answer that was ${says} for what its status says`, async () => {
      sandbox.ens.fault(fault)
      assert.deepEqual(outlineOf(await send(open())), [status])
      await turn()
      assert.equal(sandbox.ens.totals.calls, 1)
    })
  }

  it('sends a large body whole', async () => {
    const placement = 'x'.repeat(900_000)
    const request = { ...impression(), body: JSON.stringify({ campaignId: 1, placement }) }
    assert.deepEqual(outlineOf(await send(open(), request)), [200])
    assert.equal(sandbox.ens.calls[0]?.bodyBytes, request.body.length)
    assert.equal(sandbox.ens.totals.calls, 1)
  })

  it('has as many calls under way as connections, and never two on one', async () => {
    await using server = await startRawServer(() => {})
    const transport = open(server.baseUrl, 3)
    const ends = Array.from({ length: 5 }, () => send(transport))
    await turn()
    assert.equal(server.connections.length, 3)
    assert.equal(server.requests(), 3)
    await transport.destroy()
    const sent = (await Promise.all(ends)).filter((end) => 'sent' in end && end.sent)
    assert.equal(sent.length, 3, 'the two that waited for a connection were never sent')
  })
})

describe('the transport, of a connection kept alive', () => {
  let sandbox: Sandbox
  let transport: Transport

  beforeEach(async () => {
    sandbox = await startSandbox()
    const { baseUrl } = sandbox.ens
    transport = transportTo(baseUrl)
    await send(transport)
  })
  afterEach(async () => {
    await transport.destroy()
    await sandbox.close()
  })

  it('opens another one once it has noticed that the network closed it', async () => {
    await sandbox.ens.closeIdleConnections()
    await turn()
    assert.deepEqual(outlineOf(await send(transport)), [200])
    assert.equal(sandbox.ens.totals.calls, 2)
  })

  it('opens another one if the close is there to be read, before it writes', async () => {
    const closed = sandbox.ens.closeIdleConnections()
    const end = await send(transport)
    await closed
    const { calls } = sandbox.ens.totals
    if ('answer' in end) assert.equal(calls, 2)
    else assert.equal(calls, 1, 'what was lost in the race was not sent again behind our back')
  })

  it('sends nothing twice when the network resets it as the next request comes', async () => {
    sandbox.ens.fault({ reset: 'before-read' }, { times: 1 })
    const end = await send(transport)
    assert('error' in end)
    await turn()
    assert.equal(sandbox.ens.totals.calls, 1)
    assert.deepEqual(outlineOf(await send(transport)), [200])
    assert.equal(sandbox.ens.totals.calls, 2)
  })

  it('loses or sends each of many calls that race with the network’s close, and none twice', async () => {
    let answered = 1
    let lost = 0
    for (let n = 0; n < 50; n += 1) {
      const closed = n % 2 === 0 ? sandbox.ens.closeIdleConnections() : undefined
      const end = await send(transport, impression(n + 2))
      await closed
      if ('answer' in end) answered += 1
      else lost += 1
    }
    await turn()
    const ids = sandbox.ens.impressions.map(({ campaignId }) => campaignId)
    assert.equal(new Set(ids).size, ids.length)
    assert(ids.length >= answered && ids.length <= answered + lost)
  })
})
