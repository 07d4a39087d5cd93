import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'
import ejs from 'ejs'
import { transform } from 'esbuild'
import type { Browser } from 'playwright-core'
import { createTracker, ens } from '../../lib/index.js'
import { startSandbox } from '../../lib/sandbox/sandbox.js'
import { launchChromium } from '../chromium.js'
import { BROWSER_HEADERS } from '../examples/npm-program.js'
import { ROOT, run } from '../package/tarball.js'
import type { CodeBlock } from './markdown.js'
import {
  APP,
  complete,
  createSamplesFolder,
  scripts,
  servers,
  templates,
  tests,
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
  include: ['samples/*.ts'],
}

describe('each sample of the documentation', () => {
  let browser: Browser
  let child: ChildProcess | undefined

  before(async () => {
    browser = await launchChromium()
  })
  after(() => browser.close())
  afterEach(() => {
    child?.kill('SIGKILL')
  })

  it('compiles with the types of the package', async () => {
    const folder = await createSamplesFolder(
      new Map([
        ['tsconfig.json', JSON.stringify(TSCONFIG)],
        APP,
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

  for (const sample of tests) {
    it(`that is a test passes: ${sample.position}`, async () => {
      const folder = await createSamplesFolder(new Map([APP, ['test/shop.test.ts', sample.code]]))
      const mocha = path.join(ROOT, 'node_modules/mocha/bin/mocha.js')
      await run(
        process.execPath,
        [mocha, '--import=tsx', '--timeout=10000', 'test/shop.test.ts'],
        folder,
      )
    })
  }

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
      const folder = await createSamplesFolder(
        new Map([
          ['server.js', server.code],
          ['views/page.ejs', findTemplate(server)],
        ]),
      )
      child = startServer(folder, sandbox.env)

      await view(browser, await readUrl(child), () => network.received(1))

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

/** The template that precedes a server in its page. */
function findTemplate({ file }: CodeBlock): string {
  return templates.find((template) => template.file === file)?.code ?? ''
}

/** Opens a page in Chromium, with its assets, and requests `/favicon.ico` as older browsers do. */
async function view(browser: Browser, url: string, isCounted: () => Promise<void>): Promise<void> {
  const context = await browser.newContext({ userAgent: BROWSER_HEADERS['user-agent'] })
  const page = await context.newPage()
  await context.request.get(`${url}/favicon.ico`)
  const response = await page.goto(url)
  assert.equal(response?.status(), 200)
  assert.match(String(response.headers()['content-type']), /^text\/html/)
  assert.equal(await page.locator('img').count(), 1)
  await isCounted()
  await context.close()
}

/** Starts `server.js`, in a process of its own. */
function startServer(folder: string, env: Readonly<Record<string, string>>): ChildProcess {
  const preload = path.join(import.meta.dirname, 'any-port.js')
  return spawn(process.execPath, ['--import', preload, 'server.js'], {
    cwd: folder,
    env: { PATH: process.env.PATH, AD_IMPRESSIONS_SECRET: SECRET, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

async function readUrl({ stdout }: ChildProcess): Promise<string> {
  assert.ok(stdout)
  // Reading a line with `for await` would close the program's output after it.
  const lines = createInterface({ input: stdout })
  const [line] = await once(lines, 'line', { signal: AbortSignal.timeout(10_000) })
  return `http://127.0.0.1:${/^port (\d+)$/.exec(line)?.[1]}`
}
