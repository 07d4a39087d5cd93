// Tests lib/delivery/call/connect.ts

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import type { ConnectionOptions } from '../../../lib/networks/connection-options.js'
import { type Certificates, createCertificates } from './certificates.js'
import { formatResponse, type RawServer, startRawServer } from './raw-server.js'
import { createEnsRequest, createTransportTo, sendCall, summarizeEnd } from './send-call.js'

describe('the transport, over TLS', () => {
  let certificates: Certificates

  before(function () {
    this.timeout(60_000)
    certificates = createCertificates()
  })
  after(() => certificates[Symbol.dispose]())

  /** A server that answers each request with 200. */
  function startTlsServer(options: TlsOptions = certificates.server): Promise<RawServer> {
    return startRawServer(({ socket }) => socket.write(formatResponse()), createTlsServer(options))
  }

  async function callOnce(
    server: RawServer,
    tls?: ConnectionOptions['tls'],
    request = createEnsRequest(),
  ) {
    const transport = createTransportTo(server.baseUrl.replace('http:', 'https:'), { tls })
    const end = await sendCall(transport, request)
    await transport.destroy()
    return end
  }

  describe('verifies the certificate', () => {
    it('and sends nothing to a network with a self-signed certificate', async () => {
      await using server = await startTlsServer(certificates.selfSigned)
      const end = await callOnce(server)
      assert.deepEqual(summarizeEnd(end), ['DEPTH_ZERO_SELF_SIGNED_CERT', false])
      assert.equal(server.countRequests(), 0)
    })

    it('and sends nothing to a host that the certificate does not name', async () => {
      await using server = await startTlsServer(certificates.otherHost)
      const transport = createTransportTo(server.baseUrl.replace('http:', 'https:'), {
        tls: { ca: certificates.ca },
      })
      for (const attempt of [1, 2]) {
        const summary = summarizeEnd(await sendCall(transport))
        assert.deepEqual(summary, ['ERR_TLS_CERT_ALTNAME_INVALID', false], `attempt ${attempt}`)
      }
      await transport.destroy()
      assert.equal(server.countRequests(), 0)
    })

    it('with the given certificate authority', async () => {
      await using server = await startTlsServer()
      assert.deepEqual(summarizeEnd(await callOnce(server, { ca: [certificates.ca] })), [200])
    })
  })

  it('reports a network without TLS as not sent', async () => {
    const plain = createServer((socket) => socket.end(formatResponse()))
    await using server = await startRawServer(() => {}, plain)
    const [code, sent] = summarizeEnd(await callOnce(server))
    assert.match(`${code}`, /^ERR_SSL_|^EPROTO$|^ECONNRESET$/)
    assert.equal(sent, false)
  })

  it('reports a reset during the TLS handshake as not sent', async () => {
    const resetting = createServer((socket) => socket.once('data', () => socket.resetAndDestroy()))
    await using server = await startRawServer(() => {}, resetting)
    assert.deepEqual(summarizeEnd(await callOnce(server)), ['ECONNRESET', false])
  })

  describe('to a network that requires a client certificate', () => {
    const startStrictServer = (options: TlsOptions = {}) =>
      startTlsServer({
        ...certificates.server,
        ca: certificates.ca,
        requestCert: true,
        ...options,
      })

    for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
      it(`sends the certificate, with ${maxVersion}`, async () => {
        await using server = await startStrictServer({ maxVersion })
        const { ca, client } = certificates
        assert.deepEqual(summarizeEnd(await callOnce(server, { ca, ...client })), [200])
        assert.equal(server.countRequests(), 1)
      })

      it(`reports a certificate that the network refuses as not sent, with ${maxVersion}`, async () => {
        await using server = await startStrictServer({ maxVersion })
        const { ca, selfSigned } = certificates
        for (const body of ['small', 'x'.repeat(300_000)]) {
          const request = { ...createEnsRequest(), body }
          const end = await callOnce(server, { ca, ...selfSigned }, request)
          assert('error' in end)
          assert.equal(end.sent, false, end.error.message)
        }
        assert.equal(server.countRequests(), 0)
      })

      it(`reports a missing certificate as not sent, with ${maxVersion}`, async () => {
        await using server = await startStrictServer({ maxVersion })
        const end = await callOnce(server, { ca: certificates.ca })
        assert('error' in end)
        assert.match(`${end.error.code}`, /^ERR_SSL_.*_ALERT_/)
        assert.equal(end.sent, false)
        assert.equal(server.countRequests(), 0)
      })
    }

    it('waits only briefly for a session ticket, which not every server sends', async () => {
      const { ca, client } = certificates
      const { server, port } = await startOpenSsl('-num_tickets', '0', '-Verify', '1')
      const transport = createTransportTo(`https://localhost:${port}`, {
        tls: { ca, ...client },
        timeoutMs: 2_000,
      })
      const request = { ...createEnsRequest(), method: 'GET', path: '/', body: '' } as const
      assert.deepEqual(summarizeEnd(await sendCall(transport, request)), [200])
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
