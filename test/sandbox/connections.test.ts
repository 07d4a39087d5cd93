import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { type Sandbox, startSandbox } from '../../lib/sandbox/sandbox.js'
import { buildEnsRequest, Caller, parsePort, readErrorCode, sendOverSocket } from './caller.js'

describe("The sandbox's connections", () => {
  let sandbox: Sandbox
  let caller: Caller

  beforeEach(async () => {
    sandbox = await startSandbox()
    caller = new Caller(sandbox)
  })
  afterEach(async () => {
    await caller.close()
    await sandbox.close()
  })

  it('are refused on demand and accepted again on the same port', async () => {
    await caller.ens()
    const resume = await sandbox.ens.refuse()
    assert.equal(sandbox.ens.refusing, true)
    assert.equal(await readErrorCode(caller.ens()), 'ECONNREFUSED')
    assert.equal((await caller.closient()).status, 200)
    const url = sandbox.ens.baseUrl
    await resume()
    assert.equal(sandbox.ens.baseUrl, url)
    assert.equal((await caller.ens()).status, 200)
    assert.equal(sandbox.ens.totals.calls, 2)
  })

  it('are refused by both networks at once', async () => {
    const resume = await sandbox.refuse()
    assert.equal(await readErrorCode(caller.ens()), 'ECONNREFUSED')
    assert.equal(await readErrorCode(caller.closient()), 'ECONNREFUSED')
    await resume()
    assert.equal((await caller.ens()).status, 200)
    assert.equal((await caller.closient()).status, 200)
  })

  it('stay refused until every refusal has been resumed', async () => {
    const resumeFirst = await sandbox.ens.refuse()
    const resumeSecond = await sandbox.refuse()
    await resumeFirst()
    await resumeFirst()
    assert.equal(await readErrorCode(caller.ens()), 'ECONNREFUSED')
    await resumeSecond()
    assert.equal((await caller.ens()).status, 200)
  })

  it('finish calls in progress while new connections are refused', async () => {
    sandbox.ens.fault({ delayMs: 50 })
    const inProgress = sendOverSocket(parsePort(sandbox.ens.baseUrl), buildEnsRequest(sandbox))
    await sandbox.ens.called(1)
    await sandbox.ens.refuse()
    const { received, end } = await inProgress
    assert.match(received, /^HTTP\/1\.1 200 OK\r\n.*connection: close\r\n/is)
    assert.equal(end, 'FIN')
  })

  it('are closed on demand if idle, after which callers can open new ones', async () => {
    await caller.ens()
    await caller.closient()
    assert.equal(await sandbox.closeIdleConnections(), 2)
    assert.equal((await caller.ens()).status, 200)
    assert.equal(sandbox.ens.totals.calls, 2)
  })

  it('are not read after they were closed as idle', async () => {
    await caller.ens()
    const closing = sandbox.ens.closeIdleConnections()
    const code = await readErrorCode(caller.ens())
    await closing
    assert.ok(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'].includes(code), code)
    assert.equal(sandbox.ens.totals.calls, 1)
  })

  it('support pipelined requests', async () => {
    const twoRequests =
      buildEnsRequest(sandbox) + buildEnsRequest(sandbox).replace('HTTP/1.1', 'HTTP/1.0')
    const { received } = await sendOverSocket(parsePort(sandbox.ens.baseUrl), twoRequests)
    assert.equal(received.match(/HTTP\/1\.1 200 OK/g)?.length, 2)
    assert.equal(sandbox.ens.totals.impressions, 2)
  })

  for (const network of ['ens', 'closient'] as const) {
    it(`of ${network} refuse a foreign Host, as sent by DNS rebinding, and count nothing`, async () => {
      const port = parsePort(sandbox[network].baseUrl)
      const names = ['evil.example', '127.0.0.1.evil.example', 'evil.example:80@127.0.0.1', '']
      for (const host of [...names, `evil.example:${port}`, `localhost.evil.example:${port}`]) {
        const { received } = await sendOverSocket(port, buildEnsRequest(sandbox, host))
        assert.match(received, /^HTTP\/1\.1 403 .*\r\nconnection: close\r\n/is, host)
      }
      assert.equal(sandbox[network].totals.calls, 0)
      assert.equal(sandbox[network].totals.impressions, 0)
    })
  }

  it('accept every loopback name, with any port', async () => {
    const port = parsePort(sandbox.ens.baseUrl)
    const hosts = [
      `127.0.0.1:${port}`,
      `localhost:${port}`,
      `[::1]:${port}`,
      'LOCALHOST',
      '[::1]:1',
    ]
    for (const host of hosts) {
      const bytes = buildEnsRequest(sandbox, host).replace('HTTP/1.1', 'HTTP/1.0')
      const { received } = await sendOverSocket(port, bytes)
      assert.match(received, /^HTTP\/1\.1 200 /, host)
    }
    assert.equal(sandbox.ens.totals.impressions, hosts.length)
  })

  it('record no call if the caller disconnects during the request', async () => {
    const socket = connect(parsePort(sandbox.ens.baseUrl), '127.0.0.1')
    await once(socket, 'connect')
    socket.resume().end(buildEnsRequest(sandbox).slice(0, -10))
    await once(socket, 'close')
    assert.equal((await caller.ens()).status, 200)
    assert.equal(sandbox.ens.totals.calls, 1)
  })

  it('are all destroyed by close(), which may be called again', async () => {
    sandbox.ens.fault({ hang: true })
    const hungCall = readErrorCode(caller.ens())
    await sandbox.ens.called(1)
    await sandbox.close()
    assert.notEqual(await hungCall, 'none')
    await sandbox.close()
    assert.equal(await readErrorCode(caller.ens()), 'ECONNREFUSED')
  })

  it('stay refused if a refusal is resumed after close()', async () => {
    const resume = await sandbox.refuse()
    await sandbox.close()
    await resume()
    assert.equal(await readErrorCode(caller.ens()), 'ECONNREFUSED')
  })

  it('are closed again if one of the three ports is taken', async () => {
    const page = parsePort(sandbox.ens.baseUrl) - 1
    assert.equal(await readErrorCode(startSandbox({ port: page })), 'EADDRINUSE')
    const url = `http://127.0.0.1:${page}`
    if (url !== sandbox.url && url !== sandbox.closient.baseUrl) {
      await assert.rejects(fetch(url))
    }
  })

  it('use three consecutive ports if the first one is given', async () => {
    await using onGivenPort = await startOnConsecutivePorts()
    const first = parsePort(onGivenPort.url)
    assert.ok(first > 0)
    assert.equal(parsePort(onGivenPort.ens.baseUrl), first + 1)
    assert.equal(parsePort(onGivenPort.closient.baseUrl), first + 2)
  })
})

/** Starts a sandbox on any three consecutive free ports. */
async function startOnConsecutivePorts(): Promise<Sandbox> {
  for (let port = 21_000; port < 30_000; port += 37) {
    try {
      return await startSandbox({ port })
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error
    }
  }
  throw new Error('no three consecutive free ports')
}
