// Tests lib/delivery/call/call.ts

import assert from 'node:assert/strict'
import { systemClock } from '../../../lib/clock.js'
import type { Transport } from '../../../lib/delivery/call/transport.js'
import { type Sandbox, startSandbox } from '../../../lib/sandbox/sandbox.js'
import { VirtualClock } from '../virtual-clock.js'
import { startRawServer } from './raw-server.js'
import {
  createEnsRequest,
  createTransportTo,
  sendCall,
  summarizeEnd,
  waitForLoopback,
} from './send-call.js'

describe('the transport', () => {
  let sandbox: Sandbox
  const transports: Transport[] = []

  function open(baseUrl = sandbox.ens.baseUrl, connections = 4, clock = systemClock) {
    const transport = createTransportTo(baseUrl, { connections, clock })
    transports.push(transport)
    return transport
  }

  before(async () => {
    sandbox = await startSandbox()
  })
  afterEach(async () => {
    for (const transport of transports.splice(0)) await transport.destroy()
    sandbox.reset()
  })
  after(() => sandbox.close())

  it('reports the status, headers, body and time of an answer', async () => {
    const clock = new VirtualClock()
    const end = await sendCall(open(sandbox.ens.baseUrl, 4, clock))
    assert('answer' in end)
    assert.equal(end.answer.status, 200)
    assert.equal(end.answer.headers['content-type'], 'application/json')
    assert.match(end.answer.body, /Impression tracked/)
    assert.equal(end.answer.atMs, clock.now())
    assert.equal(clock.pendingTimers, 0)
  })

  it('prefixes the path of the request with the path of the base URL', async () => {
    await sendCall(open(`${sandbox.ens.baseUrl}/mock/`))
    assert.equal(sandbox.ens.calls[0]?.path, '/mock/api/v1/campaigns/impression')
  })

  it('reports a refused connection as not sent', async () => {
    const acceptConnections = await sandbox.ens.refuse()
    assert.deepEqual(summarizeEnd(await sendCall(open())), ['ECONNREFUSED', false])
    await acceptConnections()
    assert.equal(sandbox.ens.totals.calls, 0)
  })

  it('reports a host name that does not resolve as not sent', async () => {
    const end = await sendCall(open('http://network.invalid'))
    assert('error' in end)
    assert.match(`${end.error.code}`, /^(ENOTFOUND|EAI_AGAIN)$/)
    assert.equal(end.sent, false)
  })

  it('reports an invalid HTTP request as not sent', async () => {
    const request = { ...createEnsRequest(), headers: { 'x-slot': 'a\r\nb: c' } }
    assert.deepEqual(summarizeEnd(await sendCall(open(), request)), ['UND_ERR_INVALID_ARG', false])
  })

  it('reports calls after destroy() as not sent', async () => {
    const transport = open()
    await transport.destroy()
    assert.deepEqual(summarizeEnd(await sendCall(transport)), ['UND_ERR_DESTROYED', false])
  })

  it('reports a connection that is reset immediately as an error, and does not send again', async () => {
    sandbox.ens.fault({ reset: 'before-read' }, { times: 1 })
    const end = await sendCall(open())
    assert('error' in end)
    // The write may or may not fail before the reset arrives.
    assert.match(`${end.error.code}`, /^(ECONNRESET|EPIPE|UND_ERR_SOCKET)$/)
    assert.equal(sandbox.ens.totals.calls, 0)
    await waitForLoopback()
    assert.equal(sandbox.ens.totals.calls, 0, 'it was sent again')
  })

  for (const [failure, fault, expected] of [
    ['a reset after the request was read', { reset: 'after-read' }, ['ECONNRESET', true]],
    ['an answer that is not HTTP', { raw: 'garbage\r\n\r\n' }, [undefined, true]],
    ['a connection that is closed without an answer', { raw: '' }, ['UND_ERR_SOCKET', true]],
    [
      'truncated response headers',
      { raw: 'HTTP/1.1 200 OK\r\ncontent-le' },
      ['UND_ERR_SOCKET', true],
    ],
  ] as const) {
    it(`reports ${failure} as sent, and does not send again`, async () => {
      sandbox.ens.fault(fault)
      assert.deepEqual(summarizeEnd(await sendCall(open())), expected)
      await waitForLoopback()
      assert.equal(sandbox.ens.totals.calls, 1)
    })
  }

  for (const [answer, fault, status] of [
    ['a 200 that is reset in the middle', { reset: 'mid-answer' }, 200],
    ['a truncated 200', { cutOff: true }, 200],
    ['a truncated 500', { cutOff: true, status: 500 }, 500],
  ] as const) {
    it(`reports the status of ${answer}, and does not send again`, async () => {
      sandbox.ens.fault(fault)
      assert.deepEqual(summarizeEnd(await sendCall(open())), [status])
      await waitForLoopback()
      assert.equal(sandbox.ens.totals.calls, 1)
    })
  }

  it('sends a large body completely', async () => {
    const placement = 'x'.repeat(900_000)
    const request = { ...createEnsRequest(), body: JSON.stringify({ campaignId: 1, placement }) }
    assert.deepEqual(summarizeEnd(await sendCall(open(), request)), [200])
    assert.equal(sandbox.ens.calls[0]?.bodyBytes, request.body.length)
    assert.equal(sandbox.ens.totals.calls, 1)
  })

  it('has at most one call in flight per connection', async () => {
    await using server = await startRawServer(() => {})
    const transport = open(server.baseUrl, 3)
    const ends = Array.from({ length: 5 }, () => sendCall(transport))
    await waitForLoopback()
    assert.equal(server.connections.length, 3)
    assert.equal(server.countRequests(), 3)
    await transport.destroy()
    const sent = (await Promise.all(ends)).filter((end) => 'sent' in end && end.sent)
    assert.equal(sent.length, 3, 'a call that waited for a connection was sent')
  })
})

describe('the transport, with a connection that is kept alive', () => {
  let sandbox: Sandbox
  let transport: Transport

  beforeEach(async () => {
    sandbox = await startSandbox()
    const { baseUrl } = sandbox.ens
    transport = createTransportTo(baseUrl)
    await sendCall(transport)
  })
  afterEach(async () => {
    await transport.destroy()
    await sandbox.close()
  })

  it('opens another connection after it has noticed that the network closed it', async () => {
    await sandbox.ens.closeIdleConnections()
    await waitForLoopback()
    assert.deepEqual(summarizeEnd(await sendCall(transport)), [200])
    assert.equal(sandbox.ens.totals.calls, 2)
  })

  it('sends a call at most once while the network closes the connection', async () => {
    const closed = sandbox.ens.closeIdleConnections()
    const end = await sendCall(transport)
    await closed
    const { calls } = sandbox.ens.totals
    if ('answer' in end) assert.equal(calls, 2)
    else assert.equal(calls, 1, 'a lost call was sent again')
  })

  it('does not send again when the network resets it during the next request', async () => {
    sandbox.ens.fault({ reset: 'before-read' }, { times: 1 })
    const end = await sendCall(transport)
    assert('error' in end)
    await waitForLoopback()
    assert.equal(sandbox.ens.totals.calls, 1)
    assert.deepEqual(summarizeEnd(await sendCall(transport)), [200])
    assert.equal(sandbox.ens.totals.calls, 2)
  })

  it('sends none of many calls twice while the network closes connections', async () => {
    let answered = 1
    let lost = 0
    for (let n = 0; n < 50; n += 1) {
      const closed = n % 2 === 0 ? sandbox.ens.closeIdleConnections() : undefined
      const end = await sendCall(transport, createEnsRequest(n + 2))
      await closed
      if ('answer' in end) answered += 1
      else lost += 1
    }
    await waitForLoopback()
    const ids = sandbox.ens.impressions.map(({ campaignId }) => campaignId)
    assert.equal(new Set(ids).size, ids.length)
    assert(ids.length >= answered && ids.length <= answered + lost)
  })
})
