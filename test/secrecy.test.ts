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
  KEYS,
  inspectAll,
} from './networks/canaries.js'
import { view } from './page-load/browser.js'
import { listening, portOf } from './page-load/publisher.js'

const ID = 'mhvXdrZT4jP5T8vBxuvm75'

/** How a scenario ends: each impression with its outcome, or kept, which the log says of both. */
type End = 'settled' | 'kept'

/** Notes all that is logged, told and published, and lets a test wait for a line of each network. */
function listen() {
  const seen: string[] = []
  const spoken = new Set<string>()
  let bothSpoke = () => {}
  const said = new Promise<void>((resolve) => {
    bothSpoke = resolve
  })
  const note = (fields: Record<string, unknown>, message: string) => {
    seen.push(inspectAll(fields), message)
    for (const name of ['ens', 'closient']) if (message.includes(name)) spoken.add(name)
    if (spoken.size === 2) bothSpoke()
  }
  const logger: Logger = { debug: note, warn: note, error: note }
  const outcomes = channel('ad-impressions:outcome')
  const publish = (message: unknown) => void seen.push(inspectAll(message))
  outcomes.subscribe(publish)
  return { seen, logger, said, stop: () => outcomes.unsubscribe(publish) }
}

/** One page with an ad of each network; returns all that there is to see of it, and of its telling. */
async function publish(ensUrl: string, closientUrl: string, end: End): Promise<string> {
  const { seen, logger, said, stop } = listen()
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
  await listening(server)
  const url = `http://127.0.0.1:${portOf(server)}/`
  try {
    const pages = [await view(url), await view(`${url}?fail`)]
    assert.deepEqual(
      pages.map(({ status }) => status),
      [200, 500],
    )
    for (const { text } of pages) seen.push(text)
    await (end === 'settled' ? tracker.flush() : said)
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

/** Whether neither what a sandbox shows nor what it keeps shows a key. */
async function assertSandboxSecret({ url, ens, closient }: Sandbox): Promise<void> {
  for (const path of ['/', '/sandbox/ens', '/sandbox/closient']) {
    const { status, text } = await view(url + path)
    assert.equal(status, 200)
    assertSecret(text, `the sandbox's page ${path}`)
  }
  for (const { calls, impressions, totals } of [ens, closient]) {
    assert.ok(calls.length > 0)
    assertSecret(inspectAll([calls, impressions, totals]), "the sandbox's ledger")
  }
}

/** An answer that says the key wherever an answer can say something. */
function echo(status: number, key: string): Fault {
  const words = `no such key: Bearer ${key}, ?key=${encodeURIComponent(key)}, ${JSON.stringify({ key })}`
  return {
    status,
    headers: {
      'www-authenticate': `Bearer ${key}`,
      'x-echo': key,
      location: `/${encodeURIComponent(key)}`,
    },
    body: {
      status: 'error',
      message: words,
      success: false,
      type: words,
      title: words,
      detail: words,
      error_code: words,
    },
  }
}

describe('a key on the way', () => {
  let sandbox: Sandbox
  before(async () => {
    sandbox = await startSandbox({
      ens: { apiKey: ENS_KEY },
      closient: { apiKey: CLOSIENT_KEY },
    })
  })
  after(() => sandbox.close())
  beforeEach(() => sandbox.reset())

  const atSandbox = (end: End) => publish(sandbox.ens.baseUrl, sandbox.closient.baseUrl, end)

  function fault(make: (key: string) => Fault): void {
    sandbox.ens.fault(make(ENS_KEY))
    sandbox.closient.fault(make(CLOSIENT_KEY))
  }

  it('is seen by the network, and by nobody else', async () => {
    const seen = await atSandbox('settled')
    assert.match(seen, /delivered/)
    assert.equal(sandbox.ens.calls[0]?.authorization, 'right')
    assert.equal(sandbox.closient.calls[0]?.authorization, 'right')
    assertSecret(seen, 'a good day')
  })

  for (const [statuses, end] of [
    [[200, 400, 404, 409, 413, 422], 'settled'],
    [[301, 302, 307, 401, 403, 408, 429, 500, 503], 'kept'],
  ] as const) {
    for (const status of statuses) {
      it(`is not repeated where a network echoes it with ${status}`, async () => {
        fault((key) => echo(status, key))
        const seen = await atSandbox(end)
        assert.ok(seen.includes('[redacted]') || status < 400, 'the echo came through')
        assertSecret(seen, `HTTP ${status}`)
      })
    }
  }

  for (const [title, make, end] of [
    ['an HTML page', (key) => ({ status: 502, body: `<h1>${key}</h1>` }), 'settled'],
    ['no HTTP at all', (key) => ({ raw: `${key}\r\n\r\n` }), 'settled'],
    ['a header that is none', (key) => ({ raw: `HTTP/1.1 200 OK\r\n${key}\r\n\r\n` }), 'settled'],
    ['a status line that is none', (key) => ({ raw: `HTTP/1.1 ${key}\r\n\r\n` }), 'settled'],
    ['an answer that breaks off', (key) => ({ ...echo(400, key), cutOff: true }), 'settled'],
    ['a reset', () => ({ reset: 'after-read' }), 'settled'],
    ['a reset in the middle', (key) => ({ ...echo(503, key), reset: 'mid-answer' }), 'kept'],
    ['a reset before it is read', () => ({ reset: 'before-read' }), 'kept'],
    ['silence', () => ({ hang: true }), 'settled'],
  ] satisfies [string, (key: string) => Fault, End][]) {
    it(`is not repeated where a network answers with ${title}`, async () => {
      fault(make)
      assertSecret(await atSandbox(end), title)
    })
  }

  it('is not repeated where the key is refused', async () => {
    const other = await startSandbox()
    try {
      const seen = await publish(other.ens.baseUrl, other.closient.baseUrl, 'kept')
      assert.match(seen, /refuses the key or the base URL/)
      assertSecret(seen, 'a wrong key')
      await assertSandboxSecret(other)
    } finally {
      await other.close()
    }
  })

  it('is not repeated where nobody listens', async () => {
    const resume = await sandbox.refuse()
    try {
      const seen = await atSandbox('kept')
      assert.match(seen, /ECONNREFUSED/)
      assertSecret(seen, 'a refused connection')
    } finally {
      await resume()
    }
  })

  it('is not repeated where the base URL has a wrong path', async () => {
    const { ens, closient } = sandbox
    const seen = await publish(`${ens.baseUrl}/wrong`, `${closient.baseUrl}/wrong`, 'settled')
    assertSecret(seen, 'a wrong path')
  })

  it('is not repeated where the network speaks no TLS', async () => {
    const plain = (url: string) => url.replace('http:', 'https:')
    const seen = await publish(plain(sandbox.ens.baseUrl), plain(sandbox.closient.baseUrl), 'kept')
    assertSecret(seen, 'no TLS')
  })

  it('is not repeated where the handshake fails', async () => {
    const server = createTlsServer({})
    await listening(server)
    try {
      const url = `https://127.0.0.1:${portOf(server)}`
      assertSecret(await publish(url, url, 'kept'), 'a failed handshake')
    } finally {
      server.close()
    }
  })

  it("is in none of the sandbox's pages and ledgers", async () => {
    await atSandbox('settled')
    await assertSandboxSecret(sandbox)
  })

  it('would be found by these tests', () => {
    for (const key of KEYS) {
      for (const text of [`Bearer ${key}`, inspectAll({ a: [{ key }] }), inspectAll(new Error(key))]) {
        assert.throws(() => assertSecret(text, 'this'), /this shows a key/)
      }
    }
  })
})
