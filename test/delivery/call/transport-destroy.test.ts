import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { CallEnd } from '../../../lib/delivery/call/transport.js'
import type { NetworkRequest } from '../../../lib/networks/network.js'
import { createTransportTo } from './send-call.js'

const REQUEST: NetworkRequest = { method: 'POST', path: '/', headers: {}, body: '{}' }

describe('the transport, on destroy()', () => {
  let server: Server
  const sockets: Socket[] = []

  beforeEach(async () => {
    server = createServer((socket) => {
      socket.on('error', () => {})
      sockets.push(socket)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy()
    server.close()
    await once(server, 'close')
  })

  function open(protocol: 'http' | 'https', connections: number) {
    const { port } = server.address() as AddressInfo
    const baseUrl = `${protocol}://127.0.0.1:${port}`
    const transport = createTransportTo(baseUrl, { connections })
    const ends: CallEnd[] = []
    return { transport, ends, send: () => transport.send(REQUEST, (end) => ends.push(end)) }
  }

  it('ends every call before it resolves, and reports which calls were sent', async () => {
    const { transport, ends, send } = open('http', 2)
    for (let call = 0; call < 5; call += 1) send()
    const connected = once(server, 'connection')
    await connected
    while (sockets.length < 2) await once(server, 'connection')
    await Promise.all(sockets.map((socket) => once(socket, 'data')))

    await transport.destroy()

    assert.deepEqual(
      ends.map((end) => 'sent' in end && end.sent),
      [false, false, false, true, true],
    )
  })

  it('sends nothing afterwards, even if a connection is established at that moment', async () => {
    const { transport, ends, send } = open('http', 1)
    send()
    // The connection is established, but nothing has been read from its socket yet.
    await transport.destroy()

    await new Promise((resolve) => setTimeout(resolve, 50))
    assert.deepEqual(
      ends.map((end) => 'sent' in end && end.sent),
      [false],
    )
    assert.equal(
      sockets.every(({ bytesRead }) => bytesRead === 0),
      true,
    )
  })

  it('ends a call with its answer if the answer has begun', async () => {
    const { transport, ends, send } = open('http', 1)
    send()
    const [socket] = await once(server, 'connection')
    await once(socket, 'data')
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"status"')
    await new Promise((resolve) => setTimeout(resolve, 50))

    await transport.destroy()

    assert.deepEqual(
      ends.map((end) => 'answer' in end && [end.answer.status, end.answer.body]),
      [[200, '{"status"']],
    )
  })

  it('closes a connection during the TLS handshake', async () => {
    const { transport, ends, send } = open('https', 1)
    send()
    const [socket] = await once(server, 'connection')
    await once(socket, 'data')
    const closed = once(socket, 'close')

    await transport.destroy()

    await closed
    assert.deepEqual(
      ends.map((end) => 'sent' in end && end.sent),
      [false],
    )
  })
})
