import assert from 'node:assert/strict'
import type { Server, Socket } from 'node:net'
import { createServer as createTlsServer, TLSSocket } from 'node:tls'
import type { Transport } from '../../../lib/delivery/call/transport.js'
import type { NetworkRequest } from '../../../lib/networks/network.js'
import { impression, outlineOf, send, transportTo, turn } from '../sending.js'
import { VirtualClock } from '../virtual-clock.js'
import { type Certificates, createCertificates } from './certificates.js'
import { answering, type Connection, type RawServer, startRawServer } from './raw-server.js'

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'

/** Larger than what the buffers of two sockets hold. */
const LARGE: NetworkRequest = { ...impression(), body: 'x'.repeat(30_000_000) }

/** Node cannot reset a TLS connection; closing one with unread bytes does so as well. */
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
    const start = (onData: (connection: Connection) => void): Promise<RawServer> => {
      const server: Server | undefined =
        scheme === 'https' ? createTlsServer(certificates.server) : undefined
      return startRawServer(onData, server)
    }
    const open = ({ baseUrl }: RawServer, clock?: VirtualClock): Transport => {
      const url = baseUrl.replace('http:', `${scheme}:`)
      const options = { tls: { ca: certificates.ca }, timeoutMs: 60_000 }
      transport = transportTo(url, clock ? { ...options, clock } : options)
      return transport
    }

    describe(`over ${scheme}`, () => {
      for (const [title, informational] of [
        ['one', CONTINUE],
        ['several, with headers', `HTTP/1.0 100 OK\r\nvia: 1.1 old\r\n\r\n${CONTINUE}${CONTINUE}`],
        [
          'other kinds around it',
          `HTTP/1.1 102 P\r\n\r\n${CONTINUE}HTTP/1.1 103 E\r\na: b\r\n\r\n`,
        ],
      ] as const) {
        it(`skips an unasked 100 Continue: ${title}`, async () => {
          await using server = await start(({ socket }) =>
            socket.write(informational + answering()),
          )
          const opened = open(server)
          for (let n = 1; n <= 3; n += 1) {
            assert.deepEqual(outlineOf(await send(opened)), [200])
            assert.equal(server.requests(), n)
          }
          assert.equal(server.connections.length, 1, 'the connection is kept')
        })
      }

      it('skips a 100 Continue that arrives byte by byte, and long before the answer', async () => {
        await using server = await start(async ({ socket }) => {
          socket.setNoDelay(true)
          for (const byte of CONTINUE) {
            socket.write(byte)
            await new Promise((resolve) => setTimeout(resolve, 1))
          }
          await turn()
          socket.write(answering())
        })
        assert.deepEqual(outlineOf(await send(open(server))), [200])
      })

      it('leaves alone what looks like a 100 Continue in a body', async () => {
        const body = `${CONTINUE}{"status":"success"}`
        await using server = await start(({ socket }) => {
          const [head = '', rest = ''] = answering(body).split(body)
          socket.write(head)
          setTimeout(() => socket.write(rest + body), 20)
        })
        const end = await send(open(server))
        assert('answer' in end)
        assert.equal(end.answer.body, body)
      })

      it('says sent if there is only a 100 Continue, and then nothing', async () => {
        await using server = await start(({ socket }) => socket.end(CONTINUE))
        assert.deepEqual(outlineOf(await send(open(server))), ['UND_ERR_SOCKET', true])
        assert.equal(server.requests(), 1)
      })

      it('says never sent if it is reset before the request was written completely', async () => {
        await using server = await start(({ socket, received }) => {
          socket.pause()
          if (received.length > 64_000) reset(socket)
          else socket.resume()
        })
        const end = await send(open(server), LARGE)
        assert('error' in end)
        assert.equal(end.sent, false, end.error.message)
      })

      it('says never sent if it is closed before the request was written completely', async () => {
        await using server = await start(({ socket }) => socket.pause().destroy())
        const end = await send(open(server), LARGE)
        assert('error' in end)
        assert.equal(end.sent, false, end.error.message)
      })

      it('says never sent if the request is not written completely within the time-out', async () => {
        await using server = await start(({ socket }) => socket.pause())
        const clock = new VirtualClock()
        const end = send(open(server, clock), LARGE)
        await turn()
        clock.advance(60_000)
        assert.deepEqual(outlineOf(await end), ['ETIMEDOUT', false])
      })

      it('says sent if it is reset once the request was written completely', async () => {
        let bytes = 0
        await using server = await start((connection) => {
          bytes += connection.received.length
          connection.received = ''
          if (bytes >= LARGE.body.length) reset(connection.socket)
        })
        const end = await send(open(server), LARGE)
        assert('error' in end)
        assert.equal(end.sent, true, end.error.message)
      })

      it('takes an answer that comes before the request was written completely', async () => {
        const refusal = 'HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n'
        await using server = await start(({ socket }) => socket.pause().write(refusal))
        assert.deepEqual(outlineOf(await send(open(server), LARGE)), [413])
      })
    })
  }
})
