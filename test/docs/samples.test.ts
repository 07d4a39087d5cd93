import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'
import ejs from 'ejs'
import { transform } from 'esbuild'
import { createTracker, ens } from '../../lib/index.js'
import { startSandbox } from '../../lib/sandbox/sandbox.js'
import { BROWSER_HEADERS } from '../examples/npm-program.js'
import { ROOT, run } from '../package/tarball.js'
import {
  complete,
  createSamplesFolder,
  scripts,
  servers,
  templates,
  toFileName,
} from './samples.js'

const SECRET = '3vQ8kzT1rXw0bYp5Ln7dHs2JcMf9GaUe'

const TSCONFIG = {
  compilerOptions: {
    target: 'es2023',
    lib: ['es2024', 'esnext.disposable', 'dom'],
    module: 'nodenext',
    types: ['node', 'mocha'],
    strict: true,
    // Samples in JavaScript have no types for their parameters.
    noImplicitAny: false,
    noEmit: true,
    skipLibCheck: true,
  },
  include: ['*.ts'],
}

describe('each sample of the documentation', () => {
  it('compiles with the types of the package', async () => {
    const folder = await createSamplesFolder(
      new Map([
        ['tsconfig.json', JSON.stringify(TSCONFIG)],
        ...scripts.map((sample) => [toFileName(sample), complete(sample)] as const),
      ]),
    )
    const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc')
    await run(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], folder)
  })

  it('in JavaScript is JavaScript that Node.js 20 parses', async () => {
    for (const { language, code, position } of scripts) {
      if (language !== 'js') continue
      assert.doesNotMatch(code, /\bawait using\b/, position)
      await transform(code, { loader: 'js', sourcefile: position, logLevel: 'silent' })
    }
  })

  for (const template of templates) {
    it(`in EJS renders: ${template.position}`, async () => {
      const page = await renderTemplate(template.code)
      assert.doesNotMatch(page, /undefined|&lt;|&#/)
    })
  }

  for (const server of servers) {
    it(`that starts a server counts a view once: ${server.position}`, async () => {
      await using sandbox = await startSandbox()
      const network = /campaignId: '/.test(server.code) ? sandbox.closient : sandbox.ens
      const folder = await createSamplesFolder(new Map([['server.js', server.code]]))
      await using site = await startServer(path.join(folder, 'server.js'), sandbox.env)

      const icon = await fetch(`${site.url}/favicon.ico`, { headers: BROWSER_HEADERS })
      await icon.text()
      const page = await fetch(site.url, { headers: BROWSER_HEADERS })

      assert.equal(page.status, 200)
      assert.match(String(page.headers.get('content-type')), /^text\/html/)
      assert.match(await page.text(), /<img/)
      await network.received(1)
      assert.equal(sandbox.ens.totals.impressions + sandbox.closient.totals.impressions, 1)
    })
  }
})

/** Renders a template in a page of a site whose inputs throw if they are wrong. */
async function renderTemplate(template: string): Promise<string> {
  await using sandbox = await startSandbox()
  await using tracker = createTracker({
    networks: [ens({ apiKey: sandbox.ens.apiKey, baseUrl: sandbox.ens.baseUrl })],
    visibility: { secret: SECRET },
    strict: true,
  })
  const { IncomingMessage, ServerResponse } = await import('node:http')
  const { Socket } = await import('node:net')
  const req = new IncomingMessage(new Socket())
  Object.assign(req, { method: 'GET', url: '/', headers: BROWSER_HEADERS })
  const trackImpression = tracker.pageLoad(req, new ServerResponse(req))
  const ad = { id: 42, url: 'https://shop.example/', image: '/ad.png' }
  return ejs.render(template, { ad, trackImpression, nonce: 'cmFuZG9t' })
}

/** Starts a program that listens on a port, in a process of its own. */
async function startServer(file: string, env: Readonly<Record<string, string>>) {
  const preload = path.join(import.meta.dirname, 'any-port.ts')
  const child = spawn(process.execPath, ['--import', 'tsx', '--import', preload, file], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, AD_IMPRESSIONS_SECRET: SECRET, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })
  for await (const line of lines) {
    const port = /^port (\d+)$/.exec(line)?.[1]
    if (port === undefined) continue
    return {
      url: `http://127.0.0.1:${port}`,
      async [Symbol.asyncDispose]() {
        child.kill('SIGKILL')
        await once(child, 'close')
      },
    }
  }
  throw new Error(`${file} ended before it listened`)
}
