import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { type Sandbox, startSandbox } from '../../lib/sandbox/sandbox.js'
import { Caller, ensBytes, errorCode, overSocket, portOf } from './caller.js'

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

  it('are refused on demand, and accepted again on the same port', async () => {
    await caller.ens()
    const resume = await sandbox.ens.refuse()
    assert.equal(sandbox.ens.refusing, true)
    assert.equal(await errorCode(caller.ens()), 'ECONNREFUSED')
    assert.equal((await caller.closient()).status, 200)
    const url = sandbox.ens.baseUrl
    await resume()
    assert.equal(sandbox.ens.baseUrl, url)
    assert.equal((await caller.ens()).status, 200)
    assert.equal(sandbox.ens.totals.calls, 2)
  })

  it('are refused by both networks at once', async () => {
    const resume = await sandbox.refuse()
    assert.equal(await errorCode(caller.ens()), 'ECONNREFUSED')
    assert.equal(await errorCode(caller.closient()), 'ECONNREFUSED')
    await resume()
    assert.equal((await caller.ens()).status, 200)
    assert.equal((await caller.closient()).status, 200)
  })

  it('stay refused until everyone who asked for that has resumed', async () => {
    const first = await sandbox.ens.refuse()
    const second = await sandbox.refuse()
    await first()
    await first()
    assert.equal(await errorCode(caller.ens()), 'ECONNREFUSED')
    await second()
    assert.equal((await caller.ens()).status, 200)
  })

  it('carry the calls under way to their end while new ones are refused', async () => {
    sandbox.ens.fault({ delayMs: 50 })
    const underWay = overSocket(portOf(sandbox.ens.baseUrl), ensBytes(sandbox))
    await sandbox.ens.called(1)
    await sandbox.ens.refuse()
    const { received, end } = await underWay
    assert.match(received, /^HTTP\/1\.1 200 OK\r\n.*connection: close\r\n/is)
    assert.equal(end, 'FIN')
  })

  it('are closed on demand where they stand idle, and the callers have noticed by then', async () => {
    await caller.ens()
    await caller.closient()
    assert.equal(await sandbox.closeIdleConnections(), 2)
    assert.equal((await caller.ens()).status, 200)
    assert.equal(sandbox.ens.totals.calls, 2)
  })

  it('read nothing more once they were closed as idle', async () => {
    await caller.ens()
    const closing = sandbox.ens.closeIdleConnections()
    const code = await errorCode(caller.ens())
    await closing
    assert.ok(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'].includes(code), code)
    assert.equal(sandbox.ens.totals.calls, 1)
  })

  it('carry pipelined requests, answered in order', async () => {
    const twice = ensBytes(sandbox) + ensBytes(sandbox).replace('HTTP/1.1', 'HTTP/1.0')
    const { received } = await overSocket(portOf(sandbox.ens.baseUrl), twice)
    assert.equal(received.match(/HTTP\/1\.1 200 OK/g)?.length, 2)
    assert.equal(sandbox.ens.totals.impressions, 2)
  })

  it('bring no call when the caller hangs up amid its request', async () => {
    const socket = connect(portOf(sandbox.ens.baseUrl), '127.0.0.1')
    await once(socket, 'connect')
    socket.resume().end(ensBytes(sandbox).slice(0, -10))
    await once(socket, 'close')
    assert.equal((await caller.ens()).status, 200)
    assert.equal(sandbox.ens.totals.calls, 1)
  })

  it('are all severed by close(), which does no more when called again', async () => {
    sandbox.ens.fault({ hang: true })
    const hung = errorCode(caller.ens())
    await sandbox.ens.called(1)
    await sandbox.close()
    assert.notEqual(await hung, 'none')
    await sandbox.close()
    assert.equal(await errorCode(caller.ens()), 'ECONNREFUSED')
  })

  it('stay refused when a refusal is resumed after close()', async () => {
    const resume = await sandbox.refuse()
    await sandbox.close()
    await resume()
    assert.equal(await errorCode(caller.ens()), 'ECONNREFUSED')
  })

  it('are closed again where only some of the three ports could be had', async () => {
    const page = portOf(sandbox.ens.baseUrl) - 1
    assert.equal(await errorCode(startSandbox({ port: page })), 'EADDRINUSE')
    const url = `http://127.0.0.1:${page}`
    if (url !== sandbox.url && url !== sandbox.closient.baseUrl) {
      await assert.rejects(fetch(url))
    }
  })

  it('come to three ports in a row where the first is named', async () => {
    await using named = await startSomewhere()
    const first = portOf(named.url)
    assert.ok(first > 0)
    assert.equal(portOf(named.ens.baseUrl), first + 1)
    assert.equal(portOf(named.closient.baseUrl), first + 2)
  })
})

/** On three ports in a row, wherever there are such. */
async function startSomewhere(): Promise<Sandbox> {
  for (let port = 21_000; port < 30_000; port += 37) {
    try {
      return await startSandbox({ port })
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error
    }
  }
  throw new Error('no three free ports in a row')
}
