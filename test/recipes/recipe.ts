import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { type Dispatcher, request } from 'undici'
import { type Sandbox, startSandbox } from '../../lib/sandbox/sandbox.js'
import { BROWSER_HEADERS, extractText, NpmProgram } from '../examples/npm-program.js'

/** For the installation and the build of a recipe: a CI machine without a cache needs long. */
export const RECIPE_TIMEOUT_MS = 240_000

/** The text of each recipe's page. `trackImpression()` adds nothing visible. */
const PAGE_TEXT =
  'The Daily Example Organic granola bars, box of twelve Waxed rain jacket, made to be mended'

/** What one display of the page counts. */
export const PAGE = [
  '2041 header_banner',
  '5KZeS32Mr4tAXFsi353HqK n76jfmweYbCSxH2iRUnsk6',
  'WHKWEbMrgK9m3m7GJRDvU2 XyRDvTgzTJgV5VjdDDMxZc',
]

interface RecipeRequest {
  readonly method?: Dispatcher.HttpMethod
  readonly headers?: Readonly<Record<string, string>>
}

/** A recipe that runs: an example that installs its framework into a folder of its own. */
export class Recipe implements AsyncDisposable {
  readonly #program: NpmProgram
  readonly #sandbox: Sandbox
  readonly url: string

  private constructor(program: NpmProgram, sandbox: Sandbox, url: string) {
    this.#program = program
    this.#sandbox = sandbox
    this.url = url
  }

  /**
   * Installs, builds and starts `npm run example NAME`.
   *
   * @param command the name, and arguments: `nestjs -- --adapter=fastify`
   * @throws with what it printed if one of these fails
   */
  static async start(command: string): Promise<Recipe> {
    const sandbox = await startSandbox()
    const PORT = String(await findFreePort())
    const program = new NpmProgram(`example ${command}`, { ...sandbox.env, PORT })
    try {
      await program.waitForLine(/(?:Listening on|Local):? +http/)
      return new Recipe(program, sandbox, `http://localhost:${PORT}`)
    } catch (error) {
      await program[Symbol.asyncDispose]()
      await sandbox.close()
      throw error
    }
  }

  /** Requests a path as a browser does, without following redirects. */
  async request(path: string, { method = 'GET', headers = {} }: RecipeRequest = {}) {
    const response = await request(new URL(path, this.url), {
      method,
      headers: { ...BROWSER_HEADERS, ...headers },
    })
    return { status: response.statusCode, text: await response.body.text() }
  }

  /**
   * Requests the page twice, and once each what displays nothing: `HEAD`, a prefetch, a redirect
   * from `/moved`, which has tracked a campaign, and a page that does not exist.
   */
  async requestPages(): Promise<void> {
    for (const _ of [1, 2]) {
      const { status, text } = await this.request('/')
      assert.equal(status, 200)
      assert.equal(extractText(text), PAGE_TEXT)
    }
    await this.request('/', { method: 'HEAD' })
    await this.request('/', { headers: { 'sec-purpose': 'prefetch' } })
    assert.match(String((await this.request('/moved')).status), /^30[127]$/)
    assert.equal((await this.request('/nowhere')).status, 404)
  }

  /** Stops the recipe, and asserts that it delivered `pages` displays of its page and nothing else. */
  async assertCounted(pages: number): Promise<void> {
    await this.assertDelivered(Array(pages).fill(PAGE).flat())
  }

  /** The same with the displayed campaigns, each with its placement or offer. */
  async assertDelivered(impressions: readonly string[]): Promise<void> {
    const code = await this.#program.stop('SIGTERM')
    assert.equal(code, 0, this.#program.lines.join('\n'))
    assert.deepEqual(this.listDelivered(), [...impressions].sort())
  }

  /** Waits until the networks have counted so many impressions. */
  async waitForDelivered(ens: number, closient: number): Promise<void> {
    await Promise.all([this.#sandbox.ens.received(ens), this.#sandbox.closient.received(closient)])
  }

  /** What the networks have counted so far: each campaign with its placement or offer. */
  listDelivered(): readonly string[] {
    const { ens, closient } = this.#sandbox
    return [
      ...ens.impressions.map(({ campaignId, placement }) => `${campaignId} ${placement}`),
      ...closient.impressions.map(({ campaignId, offerId }) => `${campaignId} ${offerId}`),
    ].sort()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]()
    await this.#sandbox.close()
  }
}

/** Not every framework's server can select a free port itself. */
async function findFreePort(): Promise<number> {
  const server = createServer().listen(0)
  await once(server, 'listening')
  const address = server.address()
  assert.ok(typeof address === 'object' && address)
  server.close()
  await once(server, 'close')
  return address.port
}
