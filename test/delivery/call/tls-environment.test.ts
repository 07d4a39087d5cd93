import assert from 'node:assert/strict'
import { createServer as createTlsServer } from 'node:tls'
import { startCaller, waitForEnds } from './call-from-process.js'
import { type Certificate, type Certificates, createCertificates } from './certificates.js'
import { startConnectProxy } from './connect-proxy.js'
import { formatResponse, type RawServer, startRawServer } from './raw-server.js'
import { summarizeEnd } from './send-call.js'

describe('the environment of a process', () => {
  let certificates: Certificates

  before(function () {
    this.timeout(60_000)
    certificates = createCertificates()
  })
  after(() => certificates[Symbol.dispose]())

  const startNetwork = (certificate: Certificate): Promise<RawServer> =>
    startRawServer(({ socket }) => socket.write(formatResponse()), createTlsServer(certificate))

  async function call(
    network: RawServer,
    environment: Readonly<Record<string, string>>,
    proxy?: string,
  ): Promise<readonly unknown[]> {
    const baseUrl = network.baseUrl.replace('http:', 'https:')
    const task = { baseUrl, calls: 1, connections: 1, proxy }
    const [end] = await waitForEnds(startCaller(task, environment))
    assert(end)
    return summarizeEnd(end)
  }

  it('cannot turn off the verification of the network’s certificate', async () => {
    const environment = { NODE_TLS_REJECT_UNAUTHORIZED: '0' }
    for (const [certificate, code] of [
      [certificates.selfSigned, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
      [certificates.server, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ] as const) {
      await using network = await startNetwork(certificate)
      assert.deepEqual(await call(network, environment), [code, false])
      assert.equal(network.countRequests(), 0)
    }
  })

  it('cannot turn off the verification of a proxy’s certificate', async () => {
    await using network = await startNetwork(certificates.selfSigned)
    await using proxy = await startConnectProxy(() => true, certificates.selfSigned)
    const url = `https://user:password@${proxy.host}`
    const summary = await call(network, { NODE_TLS_REJECT_UNAUTHORIZED: '0' }, url)
    assert.deepEqual(summary, ['ERR_PROXY_TUNNEL', false])
    assert.deepEqual(proxy.connects, [])
  })

  it('can add a certificate authority, which is not trusted for other hosts', async () => {
    const environment = { NODE_EXTRA_CA_CERTS: certificates.caFile }
    await using network = await startNetwork(certificates.server)
    assert.deepEqual(await call(network, environment), [200])
    await using otherHost = await startNetwork(certificates.otherHost)
    const summary = await call(otherHost, environment)
    assert.deepEqual(summary, ['ERR_TLS_CERT_ALTNAME_INVALID', false])
  })

  it('can add a certificate authority for a proxy as well, with TLS within TLS', async () => {
    const environment = { NODE_EXTRA_CA_CERTS: certificates.caFile }
    await using network = await startNetwork(certificates.server)
    await using proxy = await startConnectProxy(() => true, certificates.server)
    assert.deepEqual(await call(network, environment, `https://${proxy.host}`), [200])
    assert.equal(proxy.connects.length, 1)
    assert(!proxy.tunnelled.includes('POST'))
  })
})
