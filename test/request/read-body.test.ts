import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server } from 'node:http'
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2'
import { type AddressInfo, connect } from 'node:net'
import { readBody } from '../../lib/request/read-body.js'

const MAX_BYTES = 1_000

type ReadResult = Awaited<ReturnType<typeof readBody>>

/** An HTTP server that reads one body, and what it has read. */
class BodyServer implements AsyncDisposable {
  readonly result: Promise<ReadResult>
  readonly #server: Server

  private constructor(prepare: (req: IncomingMessage) => unknown) {
    this.#server = createServer()
    this.result = new Promise((resolve, reject) => {
      this.#server.once('request', async (req, res) => {
        try {
          await prepare(req)
          const result = await readBody(req, MAX_BYTES)
          res.shouldKeepAlive = false
          res.end()
          resolve(result)
        } catch (error) {
          reject(error)
        }
      })
    })
  }

  /** @param prepare runs before the body is read, as an earlier middleware would */
  static async start(prepare: (req: IncomingMessage) => unknown = () => {}): Promise<BodyServer> {
    const bodyServer = new BodyServer(prepare)
    bodyServer.#server.listen(0, '127.0.0.1')
    await once(bodyServer.#server, 'listening')
    return bodyServer
  }

  get port(): number {
    return readPort(this.#server)
  }

  post(headers: Readonly<Record<string, string | number>> = {}) {
    const options = { host: '127.0.0.1', port: this.port, method: 'POST', headers, agent: false }
    return request(options).on('error', () => {})
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}

function readPort(server: { address(): string | AddressInfo | null }): number {
  const address = server.address()
  assert.ok(typeof address === 'object' && address)
  return address.port
}

function assertComplete(result: ReadResult, text: string): void {
  assert.ok(result.status === 'complete', result.status)
  assert.equal(result.bytes.toString(), text)
}

describe('readBody()', () => {
  for (const text of ['', 'a body', 'é'.repeat(MAX_BYTES / 2)]) {
    it(`returns a body of ${Buffer.byteLength(text)} bytes`, async () => {
      await using server = await BodyServer.start()

      server.post().end(text)

      assertComplete(await server.result, text)
    })
  }

  it('returns a body that arrives in chunks', async () => {
    await using server = await BodyServer.start()
    const bytes = Buffer.from('¡é!')

    const sent = server.post()
    for (const byte of bytes) {
      sent.write(Buffer.of(byte))
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    sent.end()

    assertComplete(await server.result, '¡é!')
  })

  it('stops reading once more than the limit has arrived', async () => {
    await using server = await BodyServer.start()

    const sent = server.post({ 'transfer-encoding': 'chunked' })
    for (let chunks = 0; chunks < 1_000; chunks += 1) sent.write(Buffer.alloc(MAX_BYTES))

    const result = await server.result
    assert.ok(result.status === 'too-large', result.status)
    assert.ok(result.bytesRead > MAX_BYTES)
    assert.ok(result.bytesRead < 100 * MAX_BYTES, `${result.bytesRead} bytes were read`)
  })

  it('refuses a body by its Content-Length, without reading any of it', async () => {
    await using server = await BodyServer.start()

    server.post({ 'content-length': MAX_BYTES + 1 }).write('[')

    assert.deepEqual(await server.result, { status: 'too-large', bytesRead: 0 })
  })

  it('leaves the rest of a body that is too large to the caller', async () => {
    let rest = 0
    const server = createServer(async (req, res) => {
      const result = await readBody(req, MAX_BYTES)
      assert.ok(result.status === 'too-large', result.status)
      rest = result.bytesRead
      for await (const chunk of req) rest += chunk.length
      res.end()
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')

    const { status } = await fetch(`http://127.0.0.1:${readPort(server)}`, {
      method: 'POST',
      body: Buffer.alloc(300 * MAX_BYTES),
    })

    assert.equal(status, 200)
    assert.equal(rest, 300 * MAX_BYTES)
    server.close()
  })

  it('reports a body whose connection is reset as aborted', async () => {
    await using server = await BodyServer.start()
    const socket = connect(server.port, '127.0.0.1')
    socket.write('POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\nhalf')

    setTimeout(() => socket.resetAndDestroy(), 20)

    assert.deepEqual(await server.result, { status: 'aborted' })
  })

  it('reports a body whose connection was reset before it is read as aborted', async () => {
    await using server = await BodyServer.start((req) => once(req, 'close').catch(() => {}))
    const socket = connect(server.port, '127.0.0.1')
    socket.write('POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\nhalf')

    setTimeout(() => socket.resetAndDestroy(), 20)

    assert.deepEqual(await server.result, { status: 'aborted' })
  })

  it('reports a body that was already read to its end as aborted', async () => {
    await using server = await BodyServer.start((req) => once(req.resume(), 'end'))

    server.post().end('a body')

    assert.deepEqual(await server.result, { status: 'aborted' })
  })

  it('reads a request that was paused', async () => {
    await using server = await BodyServer.start((req) => req.pause())

    server.post().end('a body')

    assertComplete(await server.result, 'a body')
  })

  it('counts bytes, not characters, where an encoding is set', async () => {
    await using server = await BodyServer.start((req) => req.setEncoding('utf8'))
    const tooLarge = 'é'.repeat(MAX_BYTES / 2 + 1)

    const sent = server.post()
    sent.write(tooLarge)
    sent.end()

    assert.deepEqual(await server.result, {
      status: 'too-large',
      bytesRead: Buffer.byteLength(tooLarge),
    })
  })

  it('removes its listeners, except the one that keeps errors from ending the process', async () => {
    let req: IncomingMessage | undefined
    await using server = await BodyServer.start((its) => {
      req = its
    })
    server.post().end('a body')

    await server.result

    assert.deepEqual(
      ['data', 'end', 'error'].map((event) => req?.listenerCount(event)),
      [0, 0, 1],
    )
  })

  it('reads a body over HTTP/2', async () => {
    const server = createHttp2Server(async (req, res) => {
      const result = await readBody(Object(req), MAX_BYTES)
      res.end(result.status === 'complete' ? result.bytes : result.status)
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const session = connectHttp2(`http://127.0.0.1:${readPort(server)}`)

    const stream = session.request({ ':method': 'POST' }).setEncoding('utf8')
    stream.end('a body')

    assert.deepEqual(await stream.toArray(), ['a body'])
    session.close()
    server.close()
  })
})
