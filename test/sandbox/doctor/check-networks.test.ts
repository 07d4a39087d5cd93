import assert from 'node:assert/strict'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { checkNetworks } from '../../../lib/sandbox/doctor/check-networks.js'
import { type Certificates, createCertificates } from '../../delivery/call/certificates.js'
import { startConnectProxy } from '../../delivery/call/connect-proxy.js'
import { VirtualClock } from '../../delivery/virtual-clock.js'
import { type Environment, withEnvironment } from '../../networks/environment.js'
import { getPort, listenOnLoopback } from '../../page-load/listen-on-loopback.js'

const KEY = 'a-very-secret-key'

/** The findings about ENS, with its key in the environment; none of them shows the key. */
async function checkEns(environment: Environment, clock?: VirtualClock): Promise<string[]> {
  const findings = await withEnvironment({ ENS_API_KEY: KEY, ...environment }, () =>
    checkNetworks(clock),
  )
  const lines = findings.map(({ level, text }) => `${level}: ${text}`)
  assert.ok(!lines.join('\n').includes(KEY))
  return lines.filter((line) => !line.includes('closient'))
}

async function withServer<Result>(
  server: Server,
  task: (port: number, server: Server) => Promise<Result>,
): Promise<Result> {
  await listenOnLoopback(server)
  try {
    return await task(getPort(server), server)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

/** The findings about a host with this behaviour. */
const checkHost = (onRequest: RequestListener) =>
  withServer(createServer(onRequest), (port) =>
    checkEns({ ENS_BASE_URL: `http://127.0.0.1:${port}` }),
  )

describe('doctor: networks', () => {
  it('are a problem if the environment configures none', async () => {
    const findings = await withEnvironment({}, () => checkNetworks())
    assert.deepEqual(
      findings.map(({ level }) => level),
      ['note', 'note', 'problem'],
    )
    assert.match(findings[2]?.text ?? '', /set ENS_API_KEY or CLOSIENT_API_KEY in the environment/)
  })

  it('are named with the source of key and host, and called without the key', async () => {
    const requests: string[] = []
    const lines = await checkHost(({ method, url, rawHeaders }, res) => {
      requests.push(`${method} ${url} ${rawHeaders.join(' ')}`)
      res.writeHead(404).end()
    })
    const [configured = '', ...others] = lines
    assert.match(
      configured,
      /^ok: ens: key from ENS_API_KEY; http:\/\/127\.0\.0\.1:\d+, the host in ENS_BASE_URL$/,
    )
    assert.deepEqual(others, [
      'ok: ens: the host answers',
      "ok: ens: this machine's clock agrees with the host's",
    ])
    assert.equal(requests.length, 1)
    assert.match(requests[0] ?? '', /^GET \/ /)
    assert.ok(!requests[0]?.includes(KEY))
    assert.doesNotMatch(requests[0] ?? '', /authorization/i)
  })

  it('are a problem if the host answers with a server error', async () => {
    const lines = await checkHost((_req, res) => void res.writeHead(503).end())
    assert.match(lines[1] ?? '', /^problem: ens: the host answers with HTTP 503; try again later/)
  })

  it('are a problem if nothing listens on the port', async () => {
    const port = await withServer(createServer(), async (free) => free)
    const lines = await checkEns({ ENS_BASE_URL: `http://127.0.0.1:${port}` })
    assert.match(
      lines[1] ?? '',
      /^problem: ens: .*ECONNREFUSED.*; start the sandbox .*, or check ENS_BASE_URL$/,
    )
  })

  it('are a problem if the host does not answer within ten seconds', async () => {
    const clock = new VirtualClock()
    const lines = await withServer(createServer(), (port, server) => {
      server.on('request', () => clock.advance(10_000))
      return checkEns({ ENS_BASE_URL: `http://127.0.0.1:${port}` }, clock)
    })
    assert.match(lines[1] ?? '', /^problem: ens: .*10000 ms.*; allow outgoing connections to 127/)
  })

  it('are a problem if the host does not resolve', async () => {
    const lines = await checkEns({ ENS_BASE_URL: 'https://ads.invalid' })
    assert.match(
      lines[1] ?? '',
      /^problem: ens: .*ads\.invalid.*; check the host name ads\.invalid and this machine's DNS; if/,
    )
  })

  it('are a problem with an invalid key, or a host without https, which is not called', async () => {
    const [line = ''] = await checkEns({ ENS_API_KEY: `Bearer ${KEY}` })
    assert.match(line, /^problem: ENS_API_KEY: expected only the key/)
    const [insecure = ''] = await checkEns({ ENS_BASE_URL: 'http://ads.example' })
    assert.match(insecure, /^problem: ENS_BASE_URL: expected https/)
  })

  it('are a problem if the configuration looks wrong', async () => {
    const [line = ''] = await checkEns({ ENS_API_KEY: 'csb_of_the_other_network' })
    assert.match(line, /^problem: .*csb_/)
    assert.ok(!line.includes('csb_of'))
  })
})

describe('doctor: TLS and proxies', () => {
  let certificates: Certificates

  before(function () {
    this.timeout(60_000)
    certificates = createCertificates()
  })
  after(() => certificates[Symbol.dispose]())

  it('are a problem if the certificate is not trusted', async () => {
    const server = createSecureServer(certificates.server, (_req, res) => void res.end())
    const lines = await withServer(server, (port) =>
      checkEns({ ENS_BASE_URL: `https://127.0.0.1:${port}` }),
    )
    assert.match(
      lines[1] ?? '',
      /^problem: ens: .*; if a gateway .* set NODE_EXTRA_CA_CERTS to its/,
    )
  })

  it('are a problem if the host does not speak TLS', async () => {
    const lines = await withServer(createServer(), (port) =>
      checkEns({ ENS_BASE_URL: `https://127.0.0.1:${port}` }),
    )
    assert.match(lines[1] ?? '', /^problem: ens: .*; if a gateway .* else check ENS_BASE_URL and/)
  })

  it('are a problem if the proxy opens no tunnel; its password is not shown', async () => {
    await using proxy = await startConnectProxy((socket) => {
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
      return false
    })
    const lines = await checkEns({
      ENS_BASE_URL: 'https://ads.example',
      NODE_USE_ENV_PROXY: '1',
      HTTPS_PROXY: `http://user:password@${proxy.host}`,
    })
    assert.match(
      lines[1] ?? '',
      /^problem: ens: .*HTTP 403.*; check HTTPS_PROXY, and that the proxy/,
    )
    assert.doesNotMatch(lines.join('\n'), /password/)
  })
})

describe('doctor: the clock', () => {
  const dateHeader = (offsetMs: number) => new Date(Date.now() + offsetMs).toUTCString()
  const checkClock = async (headers: Readonly<Record<string, string>>) => {
    const lines = await checkHost((_req, res) => {
      res.sendDate = false
      res.writeHead(404, headers).end()
    })
    return lines[2]
  }

  it('is a problem if it is ahead of the host’s or behind it', async () => {
    assert.match(
      (await checkClock({ date: dateHeader(-120_000) })) ?? '',
      /^problem: ens: this machine's clock is 12\d s ahead of the host's; use NTP$/,
    )
    assert.match(
      (await checkClock({ date: dateHeader(120_000) })) ?? '',
      /^problem: ens: this machine's clock is 1[12]\d s behind the host's; use NTP$/,
    )
  })

  it('agrees with the date of an answer that comes from a cache', async () => {
    const headers = { date: dateHeader(-3_600_000), age: '3600' }
    assert.match((await checkClock(headers)) ?? '', /^ok: ens: this machine's clock agrees/)
  })

  it('is not checked without a date', async () => {
    for (const headers of [{}, { date: 'today' }]) {
      assert.match((await checkClock(headers)) ?? '', /^note: ens: the answer has no Date/)
    }
  })
})
