// Tests lib/counting/exit-warning.ts

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Agent, request } from 'undici'
import { type Sandbox, startSandbox } from '../../lib/sandbox/sandbox.js'

const SCRIPT = fileURLToPath(new URL('publisher-process.ts', import.meta.url))

/** One line of the process's output. */
interface ProcessReport {
  readonly port?: number
  readonly stats?: Readonly<Record<string, number>>
  readonly activeResources?: readonly string[]
  readonly addedExitListeners?: number
}

/** Sixteen viewers that request pages until the server stops. */
class Viewers {
  readonly #url: string
  readonly #agent = new Agent({ connections: 16 })
  readonly #views: readonly Promise<void>[]
  /** Whether a request has failed. */
  #hasEnded = false
  pages = 0

  constructor(url: string) {
    this.#url = url
    this.#views = Array.from({ length: 16 }, () => this.#view())
  }

  async waitForEnd(): Promise<void> {
    await Promise.all(this.#views)
    await this.#agent.destroy()
  }

  async #view(): Promise<void> {
    while (!this.#hasEnded) {
      try {
        const { body } = await request(this.#url, { dispatcher: this.#agent })
        await body.dump()
        this.pages += 1
      } catch {
        this.#hasEnded = true
      }
    }
  }
}

describe('a process that ends', () => {
  let sandbox: Sandbox
  const children: ChildProcess[] = []

  before(async () => {
    sandbox = await startSandbox()
  })
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
    sandbox.reset()
  })
  after(() => sandbox.close())

  function start(scenario: string) {
    const { ENS_API_KEY, ENS_BASE_URL } = sandbox.env
    const child = spawn(process.execPath, ['--import', 'tsx', SCRIPT, scenario], {
      env: { PATH: process.env.PATH, ENS_API_KEY, ENS_BASE_URL },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    children.push(child)
    const reports: ProcessReport[] = []
    const lines = createInterface({ input: child.stdout })
    lines.on('line', (line) => reports.push(JSON.parse(line)))
    let stderr = ''
    child.stderr.on('data', (chunk) => {
      stderr += chunk
    })
    return {
      child,
      lines,
      async waitForEnd() {
        const [code] = await once(child, 'close')
        return { code, lastReport: reports.at(-1), stderr }
      },
    }
  }

  it('is kept alive by no timer and no socket after everything is delivered', async () => {
    const { code, lastReport, stderr } = await start('deliver').waitForEnd()
    assert.equal(code, 0)
    assert.equal(stderr, '')
    // Its output pipe and a file that the TypeScript loader reads may be active.
    const resources = lastReport?.activeResources?.filter((name) => /Timeout|TCP|TLS/.test(name))
    assert.deepEqual(resources, [])
    assert.equal(sandbox.ens.totals.impressions, 3)
  })

  it('reports undelivered impressions on stderr, and is not kept alive by them', async () => {
    sandbox.ens.fault({ status: 503, headers: { 'retry-after': '3600' } })
    const { code, stderr } = await start('exit undelivered').waitForEnd()
    assert.equal(code, 0)
    assert.match(stderr, /exits with undelivered impressions: 3 for ens; await close\(\)/)
  })

  it('is kept alive by flush() until everything that was pending has its outcome', async () => {
    sandbox.ens.fault({ status: 503, headers: { 'retry-after': '1' } }, { times: 3 })
    const { code, lastReport, stderr } = await start('flush').waitForEnd()
    assert.equal(code, 0)
    assert.equal(lastReport?.stats?.delivered, 3)
    assert.doesNotMatch(stderr, /undelivered/)
  })

  it('has no exit listener left after close()', async () => {
    const { code, lastReport, stderr } = await start('close').waitForEnd()
    assert.equal(code, 0)
    assert.equal(lastReport?.stats?.delivered, 3)
    assert.equal(lastReport?.addedExitListeners, 0)
    assert.equal(stderr, '')
  })

  it('loses nothing and counts nothing twice after a SIGTERM under load', async () => {
    const publisher = start('serve until SIGTERM')
    const [line] = await once(publisher.lines, 'line')
    const { port }: ProcessReport = JSON.parse(line)
    sandbox.ens.fault({ delayMs: 30 })
    const viewers = new Viewers(`http://127.0.0.1:${port}`)
    await sandbox.ens.received(500)
    const ended = publisher.waitForEnd()
    publisher.child.kill('SIGTERM')
    await viewers.waitForEnd()
    const { code, lastReport } = await ended
    assert.equal(code, 0)
    assert(lastReport?.stats)
    const { tracked, delivered, dropped, uncertain, pending } = lastReport.stats
    assert.deepEqual({ dropped, uncertain, pending }, { dropped: 0, uncertain: 0, pending: 0 })
    assert.equal(delivered, tracked)
    assert.equal(sandbox.ens.totals.impressions, tracked)
    assert(tracked !== undefined && tracked >= viewers.pages * 3)
  })
})
