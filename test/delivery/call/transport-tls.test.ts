import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server as TcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { systemClock } from '../../../lib/clock.js'
import { createTransport } from '../../../lib/delivery/call/transport.js'
import { outlineOf, send } from '../sending.js'
import { answering, startRawServer } from './raw-server.js'

const PATIENT_MS = 60_000

describe('the transport, over TLS', () => {
  let directory: string
  let credentials: { key: string; cert: string }

  before(function () {
    this.timeout(60_000)
    directory = mkdtempSync(join(tmpdir(), 'ad-impressions-'))
    const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')]
    execFileSync(
      'openssl',
      // biome-ignore format: one line a pair
      ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
        '-keyout', key, '-out', cert, '-days', '2', '-subj', '/CN=another.example'],
      { stdio: 'ignore' },
    )
    credentials = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
  })
  after(() => rmSync(directory, { recursive: true }))

  async function attempt(server: TcpServer) {
    await using raw = await startRawServer(() => {}, server)
    const baseUrl = raw.baseUrl.replace('http:', 'https:')
    const transport = createTransport({ baseUrl, connections: 1 }, PATIENT_MS, systemClock)
    const end = await send(transport)
    await transport.destroy()
    assert.equal(raw.requests(), 0)
    return outlineOf(end)
  }

  it('says never sent to a network whose certificate nobody vouches for', async () => {
    const ended = await attempt(createTlsServer(credentials))
    assert.deepEqual(ended, ['DEPTH_ZERO_SELF_SIGNED_CERT', false])
  })

  it('says never sent to a network that speaks no TLS', async () => {
    const server = createServer((socket) => socket.end(answering()))
    const [code, sent] = await attempt(server)
    assert.match(`${code}`, /^ERR_SSL_|^EPROTO$|^ECONNRESET$/)
    assert.equal(sent, false)
  })

  it('says never sent to a network that hangs up in the handshake', async () => {
    const server = createServer((socket) => socket.once('data', () => socket.resetAndDestroy()))
    assert.deepEqual(await attempt(server), ['ECONNRESET', false])
  })
})
