import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createServer as createTlsServer } from 'node:tls'
import type { CallEnd, Transport } from '../../../lib/delivery/call/transport.js'
import { inspectAll } from '../../networks/canaries.js'
import { VirtualClock } from '../virtual-clock.js'
import { type Certificates, createCertificates } from './certificates.js'
import { type OnConnect, startConnectProxy } from './connect-proxy.js'
import { formatResponse, type RawServer, startRawServer } from './raw-server.js'
import { createTransportTo, sendCall, summarizeEnd, waitForLoopback } from './send-call.js'

const PASSWORD = 'canary/päss word'
const CREDENTIALS = `user:${encodeURIComponent(PASSWORD)}`
const BASIC = `Basic ${Buffer.from(`user:${PASSWORD}`).toString('base64')}`

const respond = (response: string) => (socket: Socket) => {
  socket.end(response)
  return false
}

describe('a call through a proxy', () => {
  let certificates: Certificates
  let network: RawServer
  const transports: Transport[] = []

  before(function () {
    this.timeout(60_000)
    certificates = createCertificates()
  })
  after(() => certificates[Symbol.dispose]())
  beforeEach(async () => {
    const server = createTlsServer(certificates.server)
    network = await startRawServer(({ socket }) => socket.write(formatResponse()), server)
  })
  afterEach(async () => {
    for (const transport of transports.splice(0)) await transport.destroy()
    await network[Symbol.asyncDispose]()
  })

  const getTarget = () => network.baseUrl.replace('http://', '')

  function open(proxy: string, options: { clock?: VirtualClock; timeoutMs?: number } = {}) {
    const tls = { ca: certificates.ca }
    const transport = createTransportTo(`https://${getTarget()}`, { proxy, tls, ...options })
    transports.push(transport)
    return transport
  }

  /** Asserts that the call was not sent and that its error has no secret. Returns the message. */
  function assertNotSent(end: CallEnd, proxyHost: string): string {
    assert('error' in end, 'expected an error')
    assert.equal(end.sent, false, end.error.message)
    assert.equal(network.countRequests(), 0)
    const shown = inspectAll(end.error)
    assert(!shown.includes('canary') && !shown.includes(BASIC.slice(6)), shown)
    const [{ message }, address] = [end.error, getTarget()]
    assert(message.includes(`(${address} through the proxy ${proxyHost})`), message)
    return message
  }

  it('is encrypted end to end, and later calls reuse its tunnel', async () => {
    await using proxy = await startConnectProxy()
    const transport = open(`http://${proxy.host}`)
    for (let n = 1; n <= 3; n += 1) {
      assert.deepEqual(summarizeEnd(await sendCall(transport)), [200])
      assert.equal(network.countRequests(), n)
    }
    assert.deepEqual(proxy.connects, [[getTarget(), undefined]])
    assert(proxy.tunnelled.length > 1_000)
    assert(!proxy.tunnelled.includes('POST') && !proxy.tunnelled.includes('sandbox-ens-key'))
  })

  it('can reach a network on this machine without TLS', async () => {
    await using plain = await startRawServer(({ socket }) => socket.write(formatResponse()))
    await using proxy = await startConnectProxy()
    const transport = createTransportTo(plain.baseUrl, { proxy: `http://${proxy.host}` })
    transports.push(transport)
    assert.deepEqual(summarizeEnd(await sendCall(transport)), [200])
    assert.deepEqual(proxy.connects, [[plain.baseUrl.replace('http://', ''), undefined]])
  })

  it('uses the default port of the scheme if the base URL has none', async () => {
    await using proxy = await startConnectProxy(respond('HTTP/1.1 403 No\r\n\r\n'))
    const transport = createTransportTo('https://ads.example', { proxy: `http://${proxy.host}` })
    transports.push(transport)
    const end = await sendCall(transport)
    assert.deepEqual(proxy.connects, [['ads.example:443', undefined]])
    assert.match(getErrorMessage(end), /\(ads\.example:443 through the proxy /)
  })

  for (const [title, credentials, expected] of [
    ['user and password', CREDENTIALS, BASIC],
    ['only a user', 'user', `Basic ${Buffer.from('user:').toString('base64')}`],
    ['only a password', ':p', `Basic ${Buffer.from(':p').toString('base64')}`],
  ] as const) {
    it(`authenticates with ${title} to the proxy, but not to the network`, async () => {
      await using proxy = await startConnectProxy()
      const transport = open(`http://${credentials}@${proxy.host}`)
      assert.deepEqual(summarizeEnd(await sendCall(transport)), [200])
      assert.deepEqual(proxy.connects, [[getTarget(), expected]])
      assert(!network.connections[0]?.received.includes('proxy-'))
    })
  }

  for (const [title, onConnect, expected] of [
    [
      'refuses the tunnel',
      respond('HTTP/1.1 403 Forbidden\r\n\r\n'),
      /answered CONNECT with HTTP 403/,
    ],
    [
      'requires other credentials, and echoes the given ones',
      respond(
        `HTTP/1.1 407 ${PASSWORD.slice(0, 6)}\r\nx: ${BASIC}\r\ncontent-length: 6\r\n\r\ncanary`,
      ),
      /answered CONNECT with HTTP 407/,
    ],
    ['cannot reach the network', respond('HTTP/1.1 502 Bad Gateway\r\n\r\n'), /HTTP 502/],
    ['redirects', respond('HTTP/1.1 302 Found\r\nlocation: /login\r\n\r\n'), /HTTP 302/],
    ['closes the connection', respond(''), /the proxy opened no tunnel: other side closed/],
    [
      'does not answer with HTTP',
      respond('SSH-2.0-OpenSSH_9.2\r\n'),
      /the proxy opened no tunnel: /,
    ],
  ] as const) {
    it(`is not sent if the proxy ${title}`, async () => {
      await using proxy = await startConnectProxy(onConnect as OnConnect)
      const transport = open(`http://${CREDENTIALS}@${proxy.host}`)
      for (let n = 1; n <= 2; n += 1) {
        const end = await sendCall(transport)
        assert.match(assertNotSent(end, proxy.host), expected)
        assert.equal(summarizeEnd(end)[0], 'ERR_PROXY_TUNNEL')
        await waitForLoopback()
        assert.equal(proxy.connections, n, 'more than one attempt per call')
      }
    })
  }

  it('is not sent if the proxy is unreachable', async () => {
    const proxy = await startConnectProxy()
    await proxy[Symbol.asyncDispose]()
    const end = await sendCall(open(`http://${CREDENTIALS}@${proxy.host}`))
    assert.match(assertNotSent(end, proxy.host), /opened no tunnel: connect ECONNREFUSED/)
  })

  it('is not sent if the proxy does not answer within the timeout', async () => {
    await using proxy = await startConnectProxy(() => false)
    const clock = new VirtualClock()
    const end = sendCall(open(`http://${CREDENTIALS}@${proxy.host}`, { clock }))
    await waitForLoopback()
    clock.advance(60_000)
    assert.match(assertNotSent(await end, proxy.host), /^no connection within 60000 ms/)
  })

  it('leaves no connection to a proxy that does not answer after destroy()', async () => {
    let closed = 0
    await using proxy = await startConnectProxy((socket) => {
      socket.resume().on('end', () => {
        closed += 1
      })
      return false
    })
    const transport = open(`http://${proxy.host}`)
    const end = sendCall(transport)
    await waitForLoopback()
    await transport.destroy()
    assertNotSent(await end, proxy.host)
    await waitForLoopback()
    assert.equal(closed, 1)
  })

  it('is not sent to a network with a self-signed certificate', async () => {
    await using selfSigned = await startRawServer(
      () => {},
      createTlsServer(certificates.selfSigned),
    )
    await using proxy = await startConnectProxy()
    const baseUrl = selfSigned.baseUrl.replace('http:', 'https:')
    const transport = createTransportTo(baseUrl, { proxy: `http://${proxy.host}` })
    transports.push(transport)
    assert.deepEqual(summarizeEnd(await sendCall(transport)), [
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      false,
    ])
    assert.equal(selfSigned.countRequests(), 0)
  })

  it('is not sent to a proxy with a self-signed certificate', async () => {
    await using proxy = await startConnectProxy(() => true, certificates.selfSigned)
    const end = await sendCall(open(`https://${CREDENTIALS}@${proxy.host}`))
    assert.match(assertNotSent(end, proxy.host), /self-signed certificate/)
    assert.deepEqual(proxy.connects, [])
  })

  it('is reported as sent if the tunnel breaks before the answer', async () => {
    await using silent = await startRawServer(() => {}, createTlsServer(certificates.server))
    await using proxy = await startConnectProxy()
    const transport = createTransportTo(silent.baseUrl.replace('http:', 'https:'), {
      proxy: `http://${proxy.host}`,
      tls: { ca: certificates.ca },
    })
    transports.push(transport)
    const end = sendCall(transport)
    while (silent.countRequests() === 0) await sleep(5)
    proxy.close()
    const [, sent] = summarizeEnd(await end)
    assert.equal(sent, true)
  })

  function getErrorMessage(end: CallEnd): string {
    assert('error' in end && !end.sent)
    return end.error.message
  }
})
