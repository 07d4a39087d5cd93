import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Agent, request } from 'undici'
import { type Sandbox, startSandbox } from '../../lib/sandbox/sandbox.js'

const SCRIPT = fileURLToPath(new URL('publisher-process.ts', import.meta.url))

interface Said {
  readonly port?: number
  readonly stats?: Readonly<Record<string, number>>
  readonly keptAliveBy?: readonly string[]
  readonly listenersLeft?: number
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

  function start(scene: string) {
    const { ENS_API_KEY, ENS_BASE_URL } = sandbox.env
    const child = spawn(process.execPath, ['--import', 'tsx', SCRIPT, scene], {
      env: { PATH: process.env.PATH, ENS_API_KEY, ENS_BASE_URL },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    children.push(child)
    const lines: Said[] = []
    const said = createInterface({ input: child.stdout })
    said.on('line', (line) => lines.push(JSON.parse(line)))
    let stderr = ''
    child.stderr.on('data', (chunk) => {
      stderr += chunk
    })
    return {
      child,
      said,
      async end() {
        const [code] = await once(child, 'close')
        return { code, last: lines.at(-1), stderr }
      },
    }
  }

  it('is kept alive by no timer and no socket once all is delivered', async () => {
    const { code, last, stderr } = await start('delivers, and is done').end()
    assert.equal(code, 0)
    assert.equal(stderr, '')
    // Not the pipe that it speaks through, and a file that the loader of TypeScript may still read.
    const holders = last?.keptAliveBy?.filter((name) => /Timeout|TCP|TLS/.test(name))
    assert.deepEqual(holders, [])
    assert.equal(sandbox.ens.totals.impressions, 3)
  })

  it('says on stderr what is undelivered, and is not kept alive by it', async () => {
    sandbox.ens.fault({ status: 503, headers: { 'retry-after': '3600' } })
    const { code, stderr } = await start('cannot deliver, and is done').end()
    assert.equal(code, 0)
    assert.match(stderr, /exits with undelivered impressions: 3 for ens; await close\(\)/)
  })

  it('is kept alive by flush() until all that was pending has its outcome', async () => {
    sandbox.ens.fault({ status: 503, headers: { 'retry-after': '1' } }, { times: 3 })
    const { code, last, stderr } = await start('flushes').end()
    assert.equal(code, 0)
    assert.equal(last?.stats?.delivered, 3)
    assert.doesNotMatch(stderr, /undelivered/)
  })

  it('leaves no listener behind after close()', async () => {
    const { code, last, stderr } = await start('closes').end()
    assert.equal(code, 0)
    assert.equal(last?.stats?.delivered, 3)
    assert.equal(last?.listenersLeft, 0)
    assert.equal(stderr, '')
  })

  it('by SIGTERM under load loses nothing, and counts nothing twice', async () => {
    const publisher = start('serves until SIGTERM')
    const [line] = await once(publisher.said, 'line')
    const { port }: Said = JSON.parse(line)
    const viewers = new Agent({ connections: 16 })
    let isOver = false
    let shown = 0
    const view = async () => {
      while (!isOver) {
        try {
          const { body } = await request(`http://127.0.0.1:${port}`, { dispatcher: viewers })
          await body.dump()
          shown += 1
        } catch {
          isOver = true
        }
      }
    }
    sandbox.ens.fault({ delayMs: 30 })
    const views = Array.from({ length: 16 }, view)
    await sandbox.ens.received(500)
    const ended = publisher.end()
    publisher.child.kill('SIGTERM')
    await Promise.all(views)
    await viewers.destroy()
    const { code, last } = await ended
    assert.equal(code, 0)
    assert(last?.stats)
    const { tracked, delivered, dropped, uncertain, pending } = last.stats
    assert.deepEqual({ dropped, uncertain, pending }, { dropped: 0, uncertain: 0, pending: 0 })
    assert.equal(delivered, tracked)
    assert.equal(sandbox.ens.totals.impressions, tracked)
    assert(tracked !== undefined && tracked >= shown * 3)
  })
})
