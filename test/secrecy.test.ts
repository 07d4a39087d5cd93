import assert from 'node:assert/strict'
import { channel } from 'node:diagnostics_channel'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:tls'
import express from 'express'
import { impressions } from '../lib/express.js'
import type { Logger } from '../lib/logger.js'
import { type Fault, type Sandbox, startSandbox } from '../lib/sandbox/sandbox.js'
import { createTracker } from '../lib/tracker.js'
import {
  assertSecret,
  CLOSIENT_KEY,
  canaryNetworks,
  ENS_KEY,
  inspectAll,
  KEYS,
} from './networks/canaries.js'
import { fetchPage } from './page-load/fetch-page.js'
import { getPort, listenOnLoopback } from './page-load/listen-on-loopback.js'

const ID = 'mhvXdrZT4jP5T8vBxuvm75'

/** How a scenario ends: every impression has an outcome, or stays queued and is logged. */
type End = 'settled' | 'queued'

/** Collects all logs and events. `bothLogged` resolves once each network has a log line. */
function collect() {
  const seen: string[] = []
  const loggedNetworks = new Set<string>()
  let onBothLogged = () => {}
  const bothLogged = new Promise<void>((resolve) => {
    onBothLogged = resolve
  })
  const note = (fields: Record<string, unknown>, message: string) => {
    seen.push(inspectAll(fields), message)
    for (const name of ['ens', 'closient']) if (message.includes(name)) loggedNetworks.add(name)
    if (loggedNetworks.size === 2) onBothLogged()
  }
  const logger: Logger = { debug: note, warn: note, error: note }
  const outcomes = channel('ad-impressions:outcome')
  const record = (message: unknown) => void seen.push(inspectAll(message))
  outcomes.subscribe(record)
  return { seen, logger, bothLogged, stop: () => outcomes.unsubscribe(record) }
}

/** Requests a page with an ad of each network. Returns everything that it and the library reveal. */
async function publishAds(ensUrl: string, closientUrl: string, end: End): Promise<string> {
  const { seen, logger, bothLogged, stop } = collect()
  const see = (value: unknown) => void seen.push(inspectAll(value))
  const networks = canaryNetworks(ensUrl, closientUrl)
  const tracker = createTracker({ networks, logger, delivery: { timeoutMs: 500 } })
  tracker.on('outcome', see)
  const app = express().set('env', 'test')
  const middleware = impressions({ tracker })
  app.use(middleware)
  app.get('/', (req, res) => {
    const { trackImpression } = res.locals
    trackImpression({ campaignId: 7, placement: 'top' })
    trackImpression({ campaignId: ID })
    for (const value of [trackImpression, res.locals, middleware]) see(value)
    if (req.query.fail !== undefined)
      throw Object.assign(new Error('template'), { tracker, networks })
    res.send(`<p>${trackImpression.requestId}</p>`)
  })
  const server = createServer(app)
  await listenOnLoopback(server)
  const url = `http://127.0.0.1:${getPort(server)}/`
  try {
    const pages = [await fetchPage(url), await fetchPage(`${url}?fail`)]
    assert.deepEqual(
      pages.map(({ status }) => status),
      [200, 500],
    )
    for (const { text } of pages) seen.push(text)
    await (end === 'settled' ? tracker.flush() : bothLogged)
    see(tracker.stats())
    see(tracker)
  } finally {
    server.closeAllConnections()
    server.close()
    await tracker.close({ timeoutMs: 1 })
    stop()
  }
  see(tracker.stats())
  return seen.join('\n')
}

/** Neither the sandbox's pages nor its ledgers contain a key. */
async function assertSandboxSecret({ url, ens, closient }: Sandbox): Promise<void> {
  for (const path of ['/', '/sandbox/ens', '/sandbox/closient']) {
    const { status, text } = await fetchPage(url + path)
    assert.equal(status, 200)
    assertSecret(text, `the sandbox's page ${path}`)
  }
  for (const { calls, impressions, totals } of [ens, closient]) {
    assert.ok(calls.length > 0)
    assertSecret(inspectAll([calls, impressions, totals]), "the sandbox's ledger")
  }
}

/** An answer that repeats the key in every place where it can. */
function echoKey(status: number, key: string): Fault {
  const text = `no such key: Bearer ${key}, ?key=${encodeURIComponent(key)}, ${JSON.stringify({ key })}`
  return {
    status,
    headers: {
      'www-authenticate': `Bearer ${key}`,
      'x-echo': key,
      location: `/${encodeURIComponent(key)}`,
    },
    body: {
      status: 'error',
      message: text,
      success: false,
      type: text,
      title: text,
      detail: text,
      error_code: text,
    },
  }
}

describe('an API key, while impressions are delivered', () => {
  let sandbox: Sandbox
  before(async () => {
    sandbox = await startSandbox({
      ens: { apiKey: ENS_KEY },
      closient: { apiKey: CLOSIENT_KEY },
    })
  })
  after(() => sandbox.close())
  beforeEach(() => sandbox.reset())

  const atSandbox = (end: End) => publishAds(sandbox.ens.baseUrl, sandbox.closient.baseUrl, end)

  function fault(make: (key: string) => Fault): void {
    sandbox.ens.fault(make(ENS_KEY))
    sandbox.closient.fault(make(CLOSIENT_KEY))
  }

  it('is sent to the network and is visible nowhere else', async () => {
    const seen = await atSandbox('settled')
    assert.match(seen, /delivered/)
    assert.equal(sandbox.ens.calls[0]?.authorization, 'right')
    assert.equal(sandbox.closient.calls[0]?.authorization, 'right')
    assertSecret(seen, 'a successful delivery')
  })

  for (const [statuses, end] of [
    [[200, 400, 404, 409, 413, 422], 'settled'],
    [[301, 302, 307, 401, 403, 408, 429, 500, 503], 'queued'],
  ] as const) {
    for (const status of statuses) {
      it(`is redacted if a network repeats it with ${status}`, async () => {
        fault((key) => echoKey(status, key))
        const seen = await atSandbox(end)
        assert.ok(seen.includes('[redacted]') || status < 400, 'the answer was quoted')
        assertSecret(seen, `HTTP ${status}`)
      })
    }
  }

  for (const [title, make, end] of [
    ['an HTML page', (key) => ({ status: 502, body: `<h1>${key}</h1>` }), 'settled'],
    ['something that is not HTTP', (key) => ({ raw: `${key}\r\n\r\n` }), 'settled'],
    ['a malformed header', (key) => ({ raw: `HTTP/1.1 200 OK\r\n${key}\r\n\r\n` }), 'settled'],
    ['a malformed status line', (key) => ({ raw: `HTTP/1.1 ${key}\r\n\r\n` }), 'settled'],
    ['a truncated answer', (key) => ({ ...echoKey(400, key), cutOff: true }), 'settled'],
    ['a reset', () => ({ reset: 'after-read' }), 'settled'],
    [
      'a reset in the middle of the answer',
      (key) => ({ ...echoKey(503, key), reset: 'mid-answer' }),
      'queued',
    ],
    ['a reset before the request is read', () => ({ reset: 'before-read' }), 'queued'],
    ['no answer', () => ({ hang: true }), 'settled'],
  ] satisfies [string, (key: string) => Fault, End][]) {
    it(`is not shown if a network answers with ${title}`, async () => {
      fault(make)
      assertSecret(await atSandbox(end), title)
    })
  }

  it('is not shown if the network refuses it', async () => {
    const other = await startSandbox()
    try {
      const seen = await publishAds(other.ens.baseUrl, other.closient.baseUrl, 'queued')
      assert.match(seen, /refuses the key or the base URL/)
      assertSecret(seen, 'a wrong key')
      await assertSandboxSecret(other)
    } finally {
      await other.close()
    }
  })

  it('is not shown if the connection is refused', async () => {
    const resume = await sandbox.refuse()
    try {
      const seen = await atSandbox('queued')
      assert.match(seen, /ECONNREFUSED/)
      assertSecret(seen, 'a refused connection')
    } finally {
      await resume()
    }
  })

  it('is not shown if the base URL has a wrong path', async () => {
    const { ens, closient } = sandbox
    const seen = await publishAds(`${ens.baseUrl}/wrong`, `${closient.baseUrl}/wrong`, 'settled')
    assertSecret(seen, 'a wrong path')
  })

  it('is not shown if the network does not speak TLS', async () => {
    const plain = (url: string) => url.replace('http:', 'https:')
    const seen = await publishAds(
      plain(sandbox.ens.baseUrl),
      plain(sandbox.closient.baseUrl),
      'queued',
    )
    assertSecret(seen, 'no TLS')
  })

  it('is not shown if the TLS handshake fails', async () => {
    const server = createTlsServer({})
    await listenOnLoopback(server)
    try {
      const url = `https://127.0.0.1:${getPort(server)}`
      assertSecret(await publishAds(url, url, 'queued'), 'a failed handshake')
    } finally {
      server.close()
    }
  })

  it('is in none of the pages and ledgers of the sandbox', async () => {
    await atSandbox('settled')
    await assertSandboxSecret(sandbox)
  })

  it('would be found by assertSecret', () => {
    for (const key of KEYS) {
      for (const text of [
        `Bearer ${key}`,
        inspectAll({ a: [{ key }] }),
        inspectAll(new Error(key)),
      ]) {
        assert.throws(() => assertSecret(text, 'this'), /this shows a key/)
      }
    }
  })
})
