import assert from 'node:assert/strict'
import { type ChildProcess, type SpawnOptionsWithoutStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer as createSecureServer } from 'node:https'
import { fileURLToPath } from 'node:url'
import { readPackageManifest } from '../../lib/sandbox/doctor/package-manifest.js'
import { startSandbox } from '../../lib/sandbox/sandbox.js'
import { createCertificates } from '../delivery/call/certificates.js'
import { startConnectProxy } from '../delivery/call/connect-proxy.js'
import { getPort, listenOnLoopback } from '../page-load/listen-on-loopback.js'
import { ENS_PATH, parsePort } from './caller.js'

const COMMAND = fileURLToPath(new URL('../../lib/sandbox/command.ts', import.meta.url))

describe('The command `ad-impressions`', () => {
  const running = new Set<ChildProcess>()

  const run = (...args: string[]) => runWith({}, ...args)
  const runWith = (options: SpawnOptionsWithoutStdio, ...args: string[]) => {
    const child = spawn(process.execPath, ['--import', 'tsx', COMMAND, ...args], options)
    running.add(child)
    child.once('close', () => running.delete(child))
    const output = { stdout: '', stderr: '' }
    const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, ...output }))
    const waitForOutput = (pattern: RegExp) =>
      new Promise<RegExpExecArray>((resolve, reject) => {
        const checkOutput = () => {
          const match = pattern.exec(output.stdout)
          if (match) resolve(match)
        }
        child.stdout.on('data', checkOutput)
        checkOutput()
        ended.then(() => reject(new Error(`ended without ${pattern}: ${output.stderr}`)))
      })
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (chunk) => {
        output[stream] += chunk
      })
    }
    return { child, ended, waitForOutput }
  }
  after(() => {
    for (const child of running) child.kill('SIGKILL')
  })

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`starts the sandbox, prints how to use it, and stops on ${signal}`, async () => {
      const { child, ended, waitForOutput } = run('sandbox', '--port', '0')
      const [, page] = await waitForOutput(/The ENS and Closient sandbox is running at (http:\S+)/)
      const [, key] = await waitForOutput(/export ENS_API_KEY=(\S+)/)
      const [, baseUrl] = await waitForOutput(/export ENS_BASE_URL=(\S+)/)
      await waitForOutput(/Press Ctrl-C to stop/)
      assert.equal((await fetch(`${page}/`)).status, 200)
      const response = await fetch(`${baseUrl}${ENS_PATH}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ campaignId: 1, placement: 'x' }),
      })
      assert.equal(response.status, 200)
      child.kill(signal)
      const { code, stdout, stderr } = await ended
      assert.match(stdout, /Stopped\. Impressions counted: ENS 1, Closient 0\.\n$/)
      assert.deepEqual([code, stderr], [0, ''])
    })
  }

  it('prints its usage on --help', async () => {
    const { code, stdout } = await run('--help').ended
    assert.equal(code, 0)
    assert.match(stdout, /^Usage: ad-impressions sandbox \[--port N\]\n +ad-impressions doctor\n/)
  })

  it('prints its version on --version', async () => {
    const { code, stdout } = await run('--version').ended
    assert.deepEqual([code, stdout], [0, `${readPackageManifest().version}\n`])
  })

  it('doctor ends with 0 if all is well, and sends no impression', async () => {
    await using sandbox = await startSandbox()
    const { code, stdout, stderr } = await runWith(
      { env: { ...process.env, ...sandbox.env } },
      'doctor',
    ).ended
    assert.deepEqual([code, stderr], [0, ''], stdout)
    assert.match(stdout, /^ok +Node\.js \d+/)
    assert.match(stdout, /^ok +express 5\./m)
    assert.match(stdout, /^ok +ens: the host answers$/m)
    assert.match(stdout, /^ok +closient: the host answers$/m)
    assert.match(stdout, /\n\nAll is well\.\n$/)
    assert.deepEqual([sandbox.ens.totals.impressions, sandbox.closient.totals.impressions], [0, 0])
    assert.ok(!stdout.includes(sandbox.env.ENS_API_KEY))
    assert.ok(!stdout.includes(sandbox.env.CLOSIENT_API_KEY))
  })

  it('doctor ends with 1 if there are problems', async () => {
    const { ENS_API_KEY: _ens, CLOSIENT_API_KEY: _closient, ...env } = process.env
    const { code, stdout, stderr } = await runWith({ env }, 'doctor').ended
    assert.deepEqual([code, stderr], [1, ''])
    assert.match(stdout, /^PROBLEM no network is configured/m)
    assert.match(stdout, /\n\nProblems found: 1\.\n$/)
  })

  it('doctor reaches a host over TLS through the proxy of the environment', async () => {
    using certificates = createCertificates()
    await using proxy = await startConnectProxy()
    const host = createSecureServer(certificates.server, (_req, res) => void res.end())
    await listenOnLoopback(host)
    const { CLOSIENT_API_KEY: _closient, ...others } = process.env
    const env = {
      ...others,
      ENS_API_KEY: 'a-very-secret-key',
      ENS_BASE_URL: `https://127.0.0.1:${getPort(host)}`,
      NODE_EXTRA_CA_CERTS: certificates.caFile,
      NODE_USE_ENV_PROXY: '1',
      HTTPS_PROXY: `http://user:password@${proxy.host}`,
      https_proxy: '',
      NO_PROXY: '',
      no_proxy: '',
    }
    const { code, stdout } = await runWith({ env }, 'doctor').ended
    host.close()
    assert.equal(code, 0, stdout)
    assert.match(stdout, /^ok +ens: the host answers over TLS through the proxy in HTTPS_PROXY$/m)
    assert.doesNotMatch(stdout, /secret|password/)
    assert.equal(proxy.connects.length, 1)
  })

  const invalid: [args: string[], message: RegExp][] = [
    [[], /missing command/],
    [['sandpit'], /unknown command 'sandpit'/],
    [['sandbox', 'now'], /unexpected argument 'now'/],
    [['sandbox', '--prot', '1'], /Unknown option '--prot'\n/],
    [['sandbox', '--port', 'http'], /--port: 'http' is not a number/],
    [['sandbox', '--port', '70000'], /--port: '70000' is not a number/],
    [['sandbox', '--port'], /--port/],
    [['doctor', '--port', '1'], /--port: only sandbox has it/],
  ]
  for (const [args, message] of invalid) {
    it(`rejects \`${args.join(' ')}\` with an error message and the usage`, async () => {
      const { code, stdout, stderr } = await run(...args).ended
      assert.deepEqual([code, stdout], [2, ''])
      assert.match(stderr, message)
      assert.match(stderr, /\nUsage: ad-impressions sandbox/)
      assert.doesNotMatch(stderr, /\n {4}at /)
    })
  }

  it('reports a port that is taken', async () => {
    await using sandbox = await startSandbox()
    const { code, stderr } = await run('sandbox', '--port', `${parsePort(sandbox.url)}`).ended
    assert.equal(code, 1)
    assert.match(
      stderr,
      /EADDRINUSE.*\nA sandbox may be running already\..* choose another port with --port\.\n$/,
    )
  })
})
