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
  const opened: Transport[] = []

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
    for (const transport of opened.splice(0)) await transport.destroy()
    await network[Symbol.asyncDispose]()
  })

  const target = () => network.baseUrl.replace('http://', '')

  function open(proxy: string, options: { clock?: VirtualClock; timeoutMs?: number } = {}) {
    const tls = { ca: certificates.ca }
    const transport = createTransportTo(`https://${target()}`, { proxy, tls, ...options })
    opened.push(transport)
    return transport
  }

  /** The error of a call that was never sent, checked for what it must not show. */
  function neverSent(end: CallEnd, proxyHost: string): string {
    assert('error' in end, 'expected an error')
    assert.equal(end.sent, false, end.error.message)
    assert.equal(network.countRequests(), 0)
    const shown = inspectAll(end.error)
    assert(!shown.includes('canary') && !shown.includes(BASIC.slice(6)), shown)
    const [{ message }, address] = [end.error, target()]
    assert(message.includes(`(${address} through the proxy ${proxyHost})`), message)
    return message
  }

  it('is encrypted from end to end, and its tunnel serves the next calls', async () => {
    await using proxy = await startConnectProxy()
    const transport = open(`http://${proxy.host}`)
    for (let n = 1; n <= 3; n += 1) {
      assert.deepEqual(summarizeEnd(await sendCall(transport)), [200])
      assert.equal(network.countRequests(), n)
    }
    assert.deepEqual(proxy.connects, [[target(), undefined]])
    assert(proxy.tunnelled.length > 1_000)
    assert(!proxy.tunnelled.includes('POST') && !proxy.tunnelled.includes('sandbox-ens-key'))
  })

  it('may tunnel to a network on this machine without TLS', async () => {
    await using plain = await startRawServer(({ socket }) => socket.write(formatResponse()))
    await using proxy = await startConnectProxy()
    const transport = createTransportTo(plain.baseUrl, { proxy: `http://${proxy.host}` })
    opened.push(transport)
    assert.deepEqual(summarizeEnd(await sendCall(transport)), [200])
    assert.deepEqual(proxy.connects, [[plain.baseUrl.replace('http://', ''), undefined]])
  })

  it('names the port of the scheme where the base URL names none', async () => {
    await using proxy = await startConnectProxy(respond('HTTP/1.1 403 No\r\n\r\n'))
    const transport = createTransportTo('https://ads.example', { proxy: `http://${proxy.host}` })
    opened.push(transport)
    const end = await sendCall(transport)
    assert.deepEqual(proxy.connects, [['ads.example:443', undefined]])
    assert.match(neverSentMessage(end), /\(ads\.example:443 through the proxy /)
  })

  for (const [title, credentials, expected] of [
    ['user and password', CREDENTIALS, BASIC],
    ['a user alone', 'user', `Basic ${Buffer.from('user:').toString('base64')}`],
    ['a password alone', ':p', `Basic ${Buffer.from(':p').toString('base64')}`],
  ] as const) {
    it(`authenticates to the proxy with ${title}, and not to the network`, async () => {
      await using proxy = await startConnectProxy()
      const transport = open(`http://${credentials}@${proxy.host}`)
      assert.deepEqual(summarizeEnd(await sendCall(transport)), [200])
      assert.deepEqual(proxy.connects, [[target(), expected]])
      assert(!network.connections[0]?.received.includes('proxy-'))
    })
  }

  for (const [title, onConnect, expected] of [
    ['refuses it', respond('HTTP/1.1 403 Forbidden\r\n\r\n'), /answered CONNECT with HTTP 403/],
    [
      'wants other credentials, and shows those it got',
      respond(
        `HTTP/1.1 407 ${PASSWORD.slice(0, 6)}\r\nx: ${BASIC}\r\ncontent-length: 6\r\n\r\ncanary`,
      ),
      /answered CONNECT with HTTP 407/,
    ],
    ['cannot reach the network', respond('HTTP/1.1 502 Bad Gateway\r\n\r\n'), /HTTP 502/],
    ['redirects', respond('HTTP/1.1 302 Found\r\nlocation: /login\r\n\r\n'), /HTTP 302/],
    ['hangs up', respond(''), /the proxy opened no tunnel: other side closed/],
    ['speaks no HTTP', respond('SSH-2.0-OpenSSH_9.2\r\n'), /the proxy opened no tunnel: /],
  ] as const) {
    it(`is never sent if the proxy ${title}`, async () => {
      await using proxy = await startConnectProxy(onConnect as OnConnect)
      const transport = open(`http://${CREDENTIALS}@${proxy.host}`)
      for (let n = 1; n <= 2; n += 1) {
        const end = await sendCall(transport)
        assert.match(neverSent(end, proxy.host), expected)
        assert.equal(summarizeEnd(end)[0], 'ERR_PROXY_TUNNEL')
        await waitForLoopback()
        assert.equal(proxy.connections, n, 'one attempt per call')
      }
    })
  }

  it('is never sent if the proxy cannot be reached', async () => {
    const proxy = await startConnectProxy()
    await proxy[Symbol.asyncDispose]()
    const end = await sendCall(open(`http://${CREDENTIALS}@${proxy.host}`))
    assert.match(neverSent(end, proxy.host), /opened no tunnel: connect ECONNREFUSED/)
  })

  it('is never sent if the proxy gives no answer within the time-out', async () => {
    await using proxy = await startConnectProxy(() => false)
    const clock = new VirtualClock()
    const end = sendCall(open(`http://${CREDENTIALS}@${proxy.host}`, { clock }))
    await waitForLoopback()
    clock.advance(60_000)
    assert.match(neverSent(await end, proxy.host), /^no connection within 60000 ms/)
  })

  it('leaves no attempt behind whose proxy gives no answer', async () => {
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
    neverSent(await end, proxy.host)
    await waitForLoopback()
    assert.equal(closed, 1)
  })

  it('is never sent to a network whose certificate nobody vouches for', async () => {
    await using selfSigned = await startRawServer(
      () => {},
      createTlsServer(certificates.selfSigned),
    )
    await using proxy = await startConnectProxy()
    const baseUrl = selfSigned.baseUrl.replace('http:', 'https:')
    const transport = createTransportTo(baseUrl, { proxy: `http://${proxy.host}` })
    opened.push(transport)
    assert.deepEqual(summarizeEnd(await sendCall(transport)), [
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      false,
    ])
    assert.equal(selfSigned.countRequests(), 0)
  })

  it('is never sent to a proxy whose certificate nobody vouches for', async () => {
    await using proxy = await startConnectProxy(() => true, certificates.selfSigned)
    const end = await sendCall(open(`https://${CREDENTIALS}@${proxy.host}`))
    assert.match(neverSent(end, proxy.host), /self-signed certificate/)
    assert.deepEqual(proxy.connects, [])
  })

  it('may have been sent if the tunnel breaks while the answer is awaited', async () => {
    await using silent = await startRawServer(() => {}, createTlsServer(certificates.server))
    await using proxy = await startConnectProxy()
    const transport = createTransportTo(silent.baseUrl.replace('http:', 'https:'), {
      proxy: `http://${proxy.host}`,
      tls: { ca: certificates.ca },
    })
    opened.push(transport)
    const end = sendCall(transport)
    while (silent.countRequests() === 0) await sleep(5)
    proxy.close()
    const [, sent] = summarizeEnd(await end)
    assert.equal(sent, true)
  })

  function neverSentMessage(end: CallEnd): string {
    assert('error' in end && !end.sent)
    return end.error.message
  }
})
