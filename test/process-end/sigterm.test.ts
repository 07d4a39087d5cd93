import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { get } from 'node:http'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Stats } from '../../lib/counting/statistics.js'
import { type Sandbox, startSandbox } from '../../lib/sandbox/sandbox.js'
import { omitZeros } from '../page-load/stats-assertions.js'

const SCRIPT = fileURLToPath(new URL('sigterm-process.ts', import.meta.url))

interface Message {
  readonly port?: number
  readonly isDone?: boolean
  readonly stats?: Stats
}

describe('SIGTERM', () => {
  let sandbox: Sandbox
  let child: ChildProcess | undefined

  beforeEach(async () => {
    sandbox = await startSandbox()
  })
  afterEach(async () => {
    child?.kill('SIGKILL')
    await sandbox.close()
  })

  async function start(...args: string[]) {
    const { PATH } = process.env
    const running = spawn(process.execPath, ['--import', 'tsx', SCRIPT, ...args], {
      env: { PATH, NODE_ENV: 'production', ...sandbox.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    child = running
    const messages: Message[] = []
    const lines = createInterface({ input: running.stdout })
    lines.on('line', (line) => messages.push(JSON.parse(line)))
    let stderr = ''
    running.stderr.on('data', (chunk) => {
      stderr += chunk
    })
    await once(lines, 'line')
    return {
      /** Opens a page, and reads its first bytes. */
      async open(path: string): Promise<void> {
        const request = get({ port: messages[0]?.port, path, agent: false })
        request.on('error', () => {})
        const [response] = await once(request, 'response')
        response.on('error', () => {})
        await once(response, 'data')
        response.resume()
      },
      async terminate() {
        running.kill('SIGTERM')
        const [code, signal] = await once(running, 'close')
        return { code, signal, stderr, last: messages.at(-1) }
      },
    }
  }

  it('with the documented handler ends the process, although streams are open', async () => {
    const site = await start('handler')
    await site.open('/events')
    await site.open('/never-ending')
    await site.open('/page')

    const { code, stderr, last } = await site.terminate()

    assert.equal(code, 0)
    assert.equal(stderr, '')
    assert.equal(last?.isDone, true)
    assert.deepEqual(omitZeros(last?.stats?.ens), { tracked: 3, delivered: 3 })
    // The page that never ended was broken off. An event stream has no other end.
    assert.deepEqual(omitZeros(last?.stats?.closient), { tracked: 3, delivered: 2, suppressed: 1 })
    assert.equal(sandbox.closient.totals.impressions, 2)
  })

  it('with the documented handler gives everything its outcome, although a network hangs', async () => {
    sandbox.ens.fault({ status: 503, headers: { 'retry-after': '3600' } })
    const site = await start('handler')
    await site.open('/page')

    const { code, last } = await site.terminate()

    assert.equal(code, 0)
    assert.equal(last?.isDone, false)
    assert.deepEqual(omitZeros(last?.stats?.ens), { tracked: 1, dropped: 1 })
  })

  it('without a handler ends the process at once, and prints nothing', async () => {
    sandbox.ens.fault({ hang: true })
    const site = await start()
    await site.open('/page')

    const { signal, stderr, last } = await site.terminate()

    assert.equal(signal, 'SIGTERM')
    assert.equal(stderr, '')
    assert.equal(last?.stats, undefined)
  })
})
