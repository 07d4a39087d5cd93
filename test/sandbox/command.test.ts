import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { startSandbox } from '../../lib/sandbox/sandbox.js'
import { ENS_PATH, portOf } from './caller.js'

const COMMAND = fileURLToPath(new URL('../../lib/sandbox/command.ts', import.meta.url))

describe('The command `ad-impressions`', () => {
  const running = new Set<ChildProcess>()

  const run = (...args: string[]) => {
    const child = spawn(process.execPath, ['--import', 'tsx', COMMAND, ...args])
    running.add(child)
    child.once('close', () => running.delete(child))
    const said = { stdout: '', stderr: '' }
    const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, ...said }))
    const saying = (pattern: RegExp) =>
      new Promise<RegExpExecArray>((resolve, reject) => {
        const look = () => {
          const match = pattern.exec(said.stdout)
          if (match) resolve(match)
        }
        child.stdout.on('data', look)
        look()
        ended.then(() => reject(new Error(`ended without ${pattern}: ${said.stderr}`)))
      })
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (chunk) => {
        said[stream] += chunk
      })
    }
    return { child, ended, saying }
  }
  after(() => {
    for (const child of running) child.kill('SIGKILL')
  })

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`starts the sandbox, says how to use it, and stops at ${signal}`, async () => {
      const { child, ended, saying } = run('sandbox', '--port', '0')
      const [, page] = await saying(/Sandbox of ENS and Closient: (http:\S+)/)
      const [, key] = await saying(/export ENS_API_KEY=(\S+)/)
      const [, baseUrl] = await saying(/export ENS_BASE_URL=(\S+)/)
      await saying(/Ctrl-C stops it/)
      assert.equal((await fetch(`${page}/`)).status, 200)
      const answer = await fetch(`${baseUrl}${ENS_PATH}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ campaignId: 1, placement: 'x' }),
      })
      assert.equal(answer.status, 200)
      child.kill(signal)
      const { code, stdout, stderr } = await ended
      assert.match(stdout, /Stopped\. Counted 1 at ENS and 0 at Closient\.\n$/)
      assert.deepEqual([code, stderr], [0, ''])
    })
  }

  it('says how it is used on --help', async () => {
    const { code, stdout } = await run('--help').ended
    assert.equal(code, 0)
    assert.match(stdout, /^Usage: ad-impressions sandbox \[--port N\]\n/)
  })

  const wrong: [args: string[], message: RegExp][] = [
    [[], /which command\?/],
    [['sandpit'], /no command 'sandpit'/],
    [['sandbox', 'now'], /'now' is one word too many/],
    [['sandbox', '--prot', '1'], /--prot/],
    [['sandbox', '--port', 'http'], /--port: 'http' is not a number/],
    [['sandbox', '--port', '70000'], /--port: '70000' is not a number/],
    [['sandbox', '--port'], /--port/],
  ]
  for (const [args, message] of wrong) {
    it(`refuses \`${args.join(' ')}\` with what is wrong and the usage`, async () => {
      const { code, stdout, stderr } = await run(...args).ended
      assert.deepEqual([code, stdout], [2, ''])
      assert.match(stderr, message)
      assert.match(stderr, /\nUsage: ad-impressions sandbox/)
      assert.doesNotMatch(stderr, /\n {4}at /)
    })
  }

  it('says so when the port is taken', async () => {
    await using sandbox = await startSandbox()
    const { code, stderr } = await run('sandbox', '--port', `${portOf(sandbox.url)}`).ended
    assert.equal(code, 1)
    assert.match(stderr, /EADDRINUSE.*\nAnother --port may be free\.\n$/)
  })
})
