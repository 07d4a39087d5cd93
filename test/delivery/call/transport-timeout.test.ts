import assert from 'node:assert/strict'
import type { Transport } from '../../../lib/delivery/call/transport.js'
import { outlineOf, send, transportTo, turn } from '../sending.js'
import { VirtualClock } from '../virtual-clock.js'
import { answering, startRawServer } from './raw-server.js'

describe('the transport’s time-out', () => {
  const TIMEOUT_MS = 10_000
  let clock: VirtualClock
  let transport: Transport | undefined

  beforeEach(() => {
    clock = new VirtualClock()
  })
  afterEach(() => transport?.destroy())

  function open(baseUrl: string, connections = 1): Transport {
    transport = transportTo(baseUrl, { connections, timeoutMs: TIMEOUT_MS, clock })
    return transport
  }

  it('ends a call that hangs, as sent, by the injected clock', async () => {
    await using server = await startRawServer(() => {})
    const end = send(open(server.baseUrl))
    await turn()
    clock.advance(TIMEOUT_MS - 1)
    assert.equal(clock.pendingTimers, 1)
    clock.advance(1)
    assert.deepEqual(outlineOf(await end), ['ETIMEDOUT', true])
    assert.equal(server.requests(), 1)
  })

  it('takes an answer that hangs in its middle for what its status says', async () => {
    await using server = await startRawServer(({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf')
    })
    const end = send(open(server.baseUrl))
    await turn()
    clock.advance(TIMEOUT_MS)
    assert.deepEqual(outlineOf(await end), [200])
  })

  it('ends a call whose connection hangs, as never sent', async () => {
    // TCP stands, and the TLS handshake never comes.
    await using server = await startRawServer(() => {})
    const end = send(open(server.baseUrl.replace('http:', 'https:')))
    await turn()
    clock.advance(TIMEOUT_MS)
    assert.deepEqual(outlineOf(await end), ['ETIMEDOUT', false])
    assert.equal(server.requests(), 0)
  })

  it('never sends what it has given up, though the connection comes in the end', async () => {
    await using server = await startRawServer(({ socket }) => socket.write(answering()))
    const one = open(server.baseUrl)
    const first = send(one)
    const second = send(one)
    // Nothing has been read from any socket yet, so that no connection stands.
    clock.advance(TIMEOUT_MS)
    assert.deepEqual(outlineOf(await first), ['ETIMEDOUT', false])
    assert.deepEqual(outlineOf(await second), ['ETIMEDOUT', false])
    await turn()
    assert.equal(server.requests(), 0)
    assert.deepEqual(outlineOf(await send(one)), [200], 'the connection serves the next')
    assert.equal(server.requests(), 1)
  })

  it('counts from when the call was made, the wait for a connection included', async () => {
    await using server = await startRawServer(() => {})
    const one = open(server.baseUrl)
    const first = send(one)
    await turn()
    clock.advance(TIMEOUT_MS / 2)
    const second = send(one)
    clock.advance(TIMEOUT_MS / 2)
    assert.deepEqual(outlineOf(await first), ['ETIMEDOUT', true])
    await turn()
    clock.advance(TIMEOUT_MS / 2)
    assert.deepEqual(outlineOf(await second), ['ETIMEDOUT', true])
    assert.equal(server.requests(), 2)
  })

  it('leaves no timer behind, whatever the end', async () => {
    await using server = await startRawServer(({ socket }) => socket.write(answering()))
    await send(open(server.baseUrl))
    await transport?.destroy()
    await send(open('http://127.0.0.1:9'))
    assert.equal(clock.pendingTimers, 0)
  })
})
