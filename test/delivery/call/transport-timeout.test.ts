import assert from 'node:assert/strict'
import type { Transport } from '../../../lib/delivery/call/transport.js'
import { VirtualClock } from '../virtual-clock.js'
import { formatResponse, startRawServer } from './raw-server.js'
import { createTransportTo, sendCall, summarizeEnd, waitForLoopback } from './send-call.js'

describe('the timeout of the transport', () => {
  const TIMEOUT_MS = 10_000
  let clock: VirtualClock
  let transport: Transport | undefined

  beforeEach(() => {
    clock = new VirtualClock()
  })
  afterEach(() => transport?.destroy())

  function open(baseUrl: string, connections = 1): Transport {
    transport = createTransportTo(baseUrl, { connections, timeoutMs: TIMEOUT_MS, clock })
    return transport
  }

  it('ends a call that hangs as sent', async () => {
    await using server = await startRawServer(() => {})
    const end = sendCall(open(server.baseUrl))
    await waitForLoopback()
    clock.advance(TIMEOUT_MS - 1)
    assert.equal(clock.pendingTimers, 1)
    clock.advance(1)
    assert.deepEqual(summarizeEnd(await end), ['ETIMEDOUT', true])
    assert.equal(server.countRequests(), 1)
  })

  it('reports the status of an answer that hangs in the middle', async () => {
    await using server = await startRawServer(({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf')
    })
    const end = sendCall(open(server.baseUrl))
    await waitForLoopback()
    clock.advance(TIMEOUT_MS)
    assert.deepEqual(summarizeEnd(await end), [200])
  })

  it('ends a call whose connection hangs as not sent', async () => {
    // The TCP connection is established, but the server never answers the TLS handshake.
    await using server = await startRawServer(() => {})
    const end = sendCall(open(server.baseUrl.replace('http:', 'https:')))
    await waitForLoopback()
    clock.advance(TIMEOUT_MS)
    assert.deepEqual(summarizeEnd(await end), ['ETIMEDOUT', false])
    assert.equal(server.countRequests(), 0)
  })

  it('never sends a call after its timeout, even if the connection is established later', async () => {
    await using server = await startRawServer(({ socket }) => socket.write(formatResponse()))
    const transport = open(server.baseUrl)
    const first = sendCall(transport)
    const second = sendCall(transport)
    // The event loop has not run yet, so no connection is established.
    clock.advance(TIMEOUT_MS)
    assert.deepEqual(summarizeEnd(await first), ['ETIMEDOUT', false])
    assert.deepEqual(summarizeEnd(await second), ['ETIMEDOUT', false])
    await waitForLoopback()
    assert.equal(server.countRequests(), 0)
    assert.deepEqual(summarizeEnd(await sendCall(transport)), [200], 'the connection is unusable')
    assert.equal(server.countRequests(), 1)
  })

  it('includes the wait for a connection', async () => {
    await using server = await startRawServer(() => {})
    const transport = open(server.baseUrl)
    const first = sendCall(transport)
    await waitForLoopback()
    clock.advance(TIMEOUT_MS / 2)
    const second = sendCall(transport)
    clock.advance(TIMEOUT_MS / 2)
    assert.deepEqual(summarizeEnd(await first), ['ETIMEDOUT', true])
    await waitForLoopback()
    clock.advance(TIMEOUT_MS / 2)
    assert.deepEqual(summarizeEnd(await second), ['ETIMEDOUT', true])
    assert.equal(server.countRequests(), 2)
  })

  it('leaves no timer behind, however a call ends', async () => {
    await using server = await startRawServer(({ socket }) => socket.write(formatResponse()))
    await sendCall(open(server.baseUrl))
    await transport?.destroy()
    await sendCall(open('http://127.0.0.1:9'))
    assert.equal(clock.pendingTimers, 0)
  })
})
