import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server as TcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { systemClock } from '../../../lib/clock.js'
import { createTransport } from '../../../lib/delivery/call/transport.js'
import { formatResponse, startRawServer } from './raw-server.js'
import { sendCall, summarizeEnd } from './send-call.js'

const TIMEOUT_MS = 60_000

describe('the transport, over TLS', () => {
  let directory: string
  let credentials: { key: string; cert: string }

  before(function () {
    this.timeout(60_000)
    directory = mkdtempSync(join(tmpdir(), 'ad-impressions-'))
    const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')]
    execFileSync(
      'openssl',
      // biome-ignore format: one line per pair of options
      ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
        '-keyout', key, '-out', cert, '-days', '2', '-subj', '/CN=another.example'],
      { stdio: 'ignore' },
    )
    credentials = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
  })
  after(() => rmSync(directory, { recursive: true }))

  async function sendTo(server: TcpServer) {
    await using raw = await startRawServer(() => {}, server)
    const baseUrl = raw.baseUrl.replace('http:', 'https:')
    const transport = createTransport({ baseUrl, connections: 1 }, TIMEOUT_MS, systemClock)
    const summary = summarizeEnd(await sendCall(transport))
    await transport.destroy()
    assert.equal(raw.countRequests(), 0)
    return summary
  }

  it('reports a self-signed certificate as not sent', async () => {
    const end = await sendTo(createTlsServer(credentials))
    assert.deepEqual(end, ['DEPTH_ZERO_SELF_SIGNED_CERT', false])
  })

  it('reports a network without TLS as not sent', async () => {
    const server = createServer((socket) => socket.end(formatResponse()))
    const [code, sent] = await sendTo(server)
    assert.match(`${code}`, /^ERR_SSL_|^EPROTO$|^ECONNRESET$/)
    assert.equal(sent, false)
  })

  it('reports a reset during the TLS handshake as not sent', async () => {
    const server = createServer((socket) => socket.once('data', () => socket.resetAndDestroy()))
    assert.deepEqual(await sendTo(server), ['ECONNRESET', false])
  })
})
