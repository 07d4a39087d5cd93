import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import type { ConnectionOptions } from '../../../lib/networks/connection-options.js'
import { impression, outlineOf, send, transportTo } from '../sending.js'
import { type Certificates, createCertificates } from './certificates.js'
import { answering, type RawServer, startRawServer } from './raw-server.js'

describe('the transport, over TLS', () => {
  let certificates: Certificates

  before(function () {
    this.timeout(60_000)
    certificates = createCertificates()
  })
  after(() => certificates[Symbol.dispose]())

  /** A server that answers each request with 200. */
  function startTlsServer(options: TlsOptions = certificates.server): Promise<RawServer> {
    return startRawServer(({ socket }) => socket.write(answering()), createTlsServer(options))
  }

  async function callOnce(
    server: RawServer,
    tls?: ConnectionOptions['tls'],
    request = impression(),
  ) {
    const transport = transportTo(server.baseUrl.replace('http:', 'https:'), { tls })
    const end = await send(transport, request)
    await transport.destroy()
    return end
  }

  describe('verifies the certificate', () => {
    it('and sends nothing to a network whose certificate nobody vouches for', async () => {
      await using server = await startTlsServer(certificates.stranger)
      const end = await callOnce(server)
      assert.deepEqual(outlineOf(end), ['DEPTH_ZERO_SELF_SIGNED_CERT', false])
      assert.equal(server.requests(), 0)
    })

    it('and sends nothing to another host', async () => {
      await using server = await startTlsServer(certificates.otherHost)
      const transport = transportTo(server.baseUrl.replace('http:', 'https:'), {
        tls: { ca: certificates.ca },
      })
      for (const attempt of [1, 2]) {
        const outline = outlineOf(await send(transport))
        assert.deepEqual(outline, ['ERR_TLS_CERT_ALTNAME_INVALID', false], `attempt ${attempt}`)
      }
      await transport.destroy()
      assert.equal(server.requests(), 0)
    })

    it('by the given certificate authority', async () => {
      await using server = await startTlsServer()
      assert.deepEqual(outlineOf(await callOnce(server, { ca: [certificates.ca] })), [200])
    })
  })

  it('says never sent to a network that speaks no TLS', async () => {
    const plain = createServer((socket) => socket.end(answering()))
    await using server = await startRawServer(() => {}, plain)
    const [code, sent] = outlineOf(await callOnce(server))
    assert.match(`${code}`, /^ERR_SSL_|^EPROTO$|^ECONNRESET$/)
    assert.equal(sent, false)
  })

  it('says never sent to a network that hangs up in the handshake', async () => {
    const rude = createServer((socket) => socket.once('data', () => socket.resetAndDestroy()))
    await using server = await startRawServer(() => {}, rude)
    assert.deepEqual(outlineOf(await callOnce(server)), ['ECONNRESET', false])
  })

  describe('to a network that asks for a client certificate', () => {
    const startStrictServer = (options: TlsOptions = {}) =>
      startTlsServer({
        ...certificates.server,
        ca: certificates.ca,
        requestCert: true,
        ...options,
      })

    for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
      it(`sends one, in ${maxVersion}`, async () => {
        await using server = await startStrictServer({ maxVersion })
        const { ca, client } = certificates
        assert.deepEqual(outlineOf(await callOnce(server, { ca, ...client })), [200])
        assert.equal(server.requests(), 1)
      })

      it(`says never sent if the network refuses it, in ${maxVersion}`, async () => {
        await using server = await startStrictServer({ maxVersion })
        const { ca, stranger } = certificates
        for (const body of ['small', 'x'.repeat(300_000)]) {
          const request = { ...impression(), body }
          const end = await callOnce(server, { ca, ...stranger }, request)
          assert('error' in end)
          assert.equal(end.sent, false, end.error.message)
        }
        assert.equal(server.requests(), 0)
      })

      it(`says never sent if there is none, in ${maxVersion}`, async () => {
        await using server = await startStrictServer({ maxVersion })
        const end = await callOnce(server, { ca: certificates.ca })
        assert('error' in end)
        assert.match(`${end.error.code}`, /^ERR_SSL_.*_ALERT_/)
        assert.equal(end.sent, false)
        assert.equal(server.requests(), 0)
      })
    }

    it('waits only shortly for a session ticket, which not every server sends', async () => {
      const { ca, client } = certificates
      const { server, port } = await startOpenSsl('-num_tickets', '0', '-Verify', '1')
      const transport = transportTo(`https://localhost:${port}`, {
        tls: { ca, ...client },
        timeoutMs: 2_000,
      })
      const request = { ...impression(), method: 'GET', path: '/', body: '' } as const
      assert.deepEqual(outlineOf(await send(transport, request)), [200])
      await transport.destroy()
      server.kill()
    })
  })

  /** OpenSSL's own server, which answers any GET. */
  async function startOpenSsl(...options: string[]) {
    const { certFile, keyFile } = certificates.server
    const identity = ['-cert', certFile, '-key', keyFile, '-CAfile', certificates.caFile]
    const server = spawn('openssl', ['s_server', '-accept', '0', '-www', ...identity, ...options])
    for await (const line of createInterface(server.stdout)) {
      const port = /^ACCEPT .*:(\d+)$/.exec(line)?.[1]
      if (port) return { server, port }
    }
    throw new Error('openssl s_server ended')
  }
})
