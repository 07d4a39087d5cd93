import assert from 'node:assert/strict'
import type { Server, Socket } from 'node:net'
import { createServer as createTlsServer, TLSSocket } from 'node:tls'
import type { Transport } from '../../../lib/delivery/call/transport.js'
import type { NetworkRequest } from '../../../lib/networks/network.js'
import { VirtualClock } from '../virtual-clock.js'
import { type Certificates, createCertificates } from './certificates.js'
import { formatResponse, type RawConnection, type RawServer, startRawServer } from './raw-server.js'
import {
  createEnsRequest,
  createTransportTo,
  sendCall,
  summarizeEnd,
  waitForLoopback,
} from './send-call.js'

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'

/** Larger than the buffers of two sockets. */
const LARGE: NetworkRequest = { ...createEnsRequest(), body: 'x'.repeat(30_000_000) }

/** Node cannot reset a TLS connection, but closing one with unread bytes resets it. */
function reset(socket: Socket): void {
  if (socket instanceof TLSSocket) socket.destroy()
  else socket.resetAndDestroy()
}

describe('a connection', () => {
  let certificates: Certificates
  let transport: Transport | undefined

  before(function () {
    this.timeout(60_000)
    certificates = createCertificates()
  })
  after(() => certificates[Symbol.dispose]())
  afterEach(() => transport?.destroy())

  for (const scheme of ['http', 'https'] as const) {
    const start = (onData: (connection: RawConnection) => void): Promise<RawServer> => {
      const server: Server | undefined =
        scheme === 'https' ? createTlsServer(certificates.server) : undefined
      return startRawServer(onData, server)
    }
    const open = ({ baseUrl }: RawServer, clock?: VirtualClock): Transport => {
      const url = baseUrl.replace('http:', `${scheme}:`)
      const options = { tls: { ca: certificates.ca }, timeoutMs: 60_000 }
      transport = createTransportTo(url, clock ? { ...options, clock } : options)
      return transport
    }

    describe(`over ${scheme}`, () => {
      for (const [title, informational] of [
        ['a single one', CONTINUE],
        ['several, with headers', `HTTP/1.0 100 OK\r\nvia: 1.1 old\r\n\r\n${CONTINUE}${CONTINUE}`],
        [
          'between other informational responses',
          `HTTP/1.1 102 P\r\n\r\n${CONTINUE}HTTP/1.1 103 E\r\na: b\r\n\r\n`,
        ],
      ] as const) {
        it(`skips an unrequested 100 Continue: ${title}`, async () => {
          await using server = await start(({ socket }) =>
            socket.write(informational + formatResponse()),
          )
          const opened = open(server)
          for (let n = 1; n <= 3; n += 1) {
            assert.deepEqual(summarizeEnd(await sendCall(opened)), [200])
            assert.equal(server.countRequests(), n)
          }
          assert.equal(server.connections.length, 1, 'the connection was not kept alive')
        })
      }

      it('skips a 100 Continue that arrives byte by byte, long before the answer', async () => {
        await using server = await start(async ({ socket }) => {
          socket.setNoDelay(true)
          for (const byte of CONTINUE) {
            socket.write(byte)
            await new Promise((resolve) => setTimeout(resolve, 1))
          }
          await waitForLoopback()
          socket.write(formatResponse())
        })
        assert.deepEqual(summarizeEnd(await sendCall(open(server))), [200])
      })

      it('keeps text in a body that looks like a 100 Continue', async () => {
        const body = `${CONTINUE}{"status":"success"}`
        await using server = await start(({ socket }) => {
          const [head = '', rest = ''] = formatResponse(body).split(body)
          socket.write(head)
          setTimeout(() => socket.write(rest + body), 20)
        })
        const end = await sendCall(open(server))
        assert('answer' in end)
        assert.equal(end.answer.body, body)
      })

      it('reports a call with only a 100 Continue as sent', async () => {
        await using server = await start(({ socket }) => socket.end(CONTINUE))
        assert.deepEqual(summarizeEnd(await sendCall(open(server))), ['UND_ERR_SOCKET', true])
        assert.equal(server.countRequests(), 1)
      })

      it('reports a reset before the request is written completely as not sent', async () => {
        await using server = await start(({ socket, received }) => {
          socket.pause()
          if (received.length > 64_000) reset(socket)
          else socket.resume()
        })
        const end = await sendCall(open(server), LARGE)
        assert('error' in end)
        assert.equal(end.sent, false, end.error.message)
      })

      it('reports a close before the request is written completely as not sent', async () => {
        await using server = await start(({ socket }) => socket.pause().destroy())
        const end = await sendCall(open(server), LARGE)
        assert('error' in end)
        assert.equal(end.sent, false, end.error.message)
      })

      it('reports a timeout before the request is written completely as not sent', async () => {
        await using server = await start(({ socket }) => socket.pause())
        const clock = new VirtualClock()
        const end = sendCall(open(server, clock), LARGE)
        await waitForLoopback()
        clock.advance(60_000)
        assert.deepEqual(summarizeEnd(await end), ['ETIMEDOUT', false])
      })

      it('reports a reset after the request is written completely as sent', async () => {
        let bytes = 0
        await using server = await start((connection) => {
          bytes += connection.received.length
          connection.received = ''
          if (bytes >= LARGE.body.length) reset(connection.socket)
        })
        const end = await sendCall(open(server), LARGE)
        assert('error' in end)
        assert.equal(end.sent, true, end.error.message)
      })

      it('accepts an answer before the request is written completely', async () => {
        const refusal = 'HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n'
        await using server = await start(({ socket }) => socket.pause().write(refusal))
        assert.deepEqual(summarizeEnd(await sendCall(open(server), LARGE)), [413])
      })
    })
  }
})
