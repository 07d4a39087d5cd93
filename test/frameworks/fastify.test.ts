import assert from 'node:assert/strict'
import view from '@fastify/view'
import ejs from 'ejs'
import fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
} from 'fastify'
import { type ImpressionsPlugin, impressions } from '../../lib/fastify.js'
import type { TrackerOptions } from '../../lib/options.js'
import { type Sandbox, startSandbox } from '../../lib/sandbox/sandbox.js'
import { createTracker } from '../../lib/tracker.js'
import { closientAd, ensAd } from '../page-load/campaigns.js'
import { BROWSER_HEADERS } from '../page-load/fetch-page.js'
import { createMemoryLogger } from '../page-load/memory-logger.js'
import { OutcomeRecorder } from '../page-load/outcome-recorder.js'
import { createNetworks } from '../page-load/sandbox-networks.js'
import { findTokens, SECRET } from '../visibility/visible-site.js'

const SECURITY_HEADERS = { 'x-frame-options': 'DENY', vary: 'origin' }

const createOptions = (sandbox: Sandbox): TrackerOptions<unknown> => ({
  networks: createNetworks(sandbox),
  logger: createMemoryLogger([]),
  visibility: { secret: SECRET },
})

/** A page with an ad that counts when it is rendered, one that counts when it is seen, and the script. */
function sendPage(_request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { trackImpression } = reply.locals
  return reply
    .type('text/html')
    .send(
      `[${trackImpression(closientAd())}]<p ${trackImpression.whenVisible(ensAd())}>${trackImpression.script()}`,
    )
}

function inject(app: FastifyInstance, url: string, headers: Record<string, string> = {}) {
  return app.inject({ url, headers: { ...BROWSER_HEADERS, ...headers } })
}

function findScriptUrl(html: string): string {
  return /<script src="([^"]*)" async><\/script>$/.exec(html)?.[1] ?? assert.fail(html)
}

/** Closes after the test what the app leaves open. */
interface Site extends AsyncDisposable {
  readonly app: FastifyInstance
  readonly plugin: ImpressionsPlugin
  readonly recorder: OutcomeRecorder
}

/** Starts an app that registers the plugin in `build`, without a socket. */
async function startSite(
  build: (app: FastifyInstance, plugin: ImpressionsPlugin) => void,
  { options = {}, server = {} }: { options?: object; server?: FastifyServerOptions } = {},
): Promise<Site> {
  const sandbox = await startSandbox()
  const plugin = impressions({ ...createOptions(sandbox), ...options })
  const recorder = new OutcomeRecorder(plugin)
  const app = fastify(server)
  build(app, plugin)
  await app.ready()
  return {
    app,
    plugin,
    recorder,
    async [Symbol.asyncDispose]() {
      await app.close()
      await plugin.close({ timeoutMs: 1 })
      await sandbox.close()
    },
  }
}

describe('the plugin for Fastify', () => {
  it('counts the pages that inject() requests', async () => {
    await using site = await startSite((app, plugin) => {
      app.register(plugin)
      app.get('/', sendPage)
    })

    const { statusCode, body } = await inject(site.app, '/')

    assert.equal(statusCode, 200)
    assert.match(body, /^\[\]<p data-ad-impression=/)
    await site.recorder.waitForOutcomes(1)
    assert.deepEqual(site.recorder.summaries, ['closient delivered'])
  })

  it('takes a report that inject() sends, of any content type', async () => {
    await using site = await startSite((app, plugin) => {
      app.removeAllContentTypeParsers()
      app.register(plugin)
      app.get('/', sendPage)
    })
    const tokens = findTokens((await inject(site.app, '/')).body)

    const { statusCode } = await site.app.inject({
      method: 'POST',
      url: '/_visible',
      headers: {
        ...BROWSER_HEADERS,
        'content-type': 'application/csp-report',
        'sec-fetch-site': 'same-origin',
      },
      payload: JSON.stringify(tokens),
    })

    assert.equal(statusCode, 204)
    await site.recorder.waitForOutcomes(2)
    // Reported within a second of the page.
    assert.deepEqual(site.recorder.summaries, ['closient delivered', 'ens invalid'])
  })

  for (const when of ['before', 'after']) {
    it(`keeps the headers of hooks that are added ${when} it, on the script and on reports`, async () => {
      await using site = await startSite((app, plugin) => {
        const addHeaders = async (instance: FastifyInstance) => {
          instance.addHook('onRequest', async (_request, reply) => {
            reply.headers(SECURITY_HEADERS)
          })
        }
        if (when === 'after') app.register(plugin)
        app.register(Object.assign(addHeaders, { [Symbol.for('skip-override')]: true }))
        if (when === 'before') app.register(plugin)
      })

      for (const request of [
        { url: '/_visible/client.js' },
        { method: 'POST', url: '/_visible', payload: '[]' },
      ] as const) {
        const { headers, statusCode } = await site.app.inject(request)
        assert.ok([200, 204].includes(statusCode))
        for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
          assert.equal(headers[name], value)
        }
      }
    })
  }

  const PREFIXES: readonly [prefix: string, page: string, mount: string][] = [
    ['/shop', '/shop/page?a=/b', '/shop'],
    ['/shop', '/shop', '/shop'],
    ['/shop/', '/shop/page', '/shop'],
    ['/of/:shop', '/of/one-2/page', '/of/one-2'],
    ['/of/:shop', '/of/a;b/page', ''],
  ]
  for (const [prefix, page, mount] of PREFIXES) {
    for (const tracker of ['its own tracker', 'a shared tracker']) {
      it(`below the prefix ${prefix}, with ${tracker}, has the client script of ${page} at ${mount}/_visible`, async () => {
        await using sandbox = await startSandbox()
        const options = createOptions(sandbox)
        await using shared = createTracker(options)
        const plugin = impressions(tracker === 'a shared tracker' ? { tracker: shared } : options)
        await using app = fastify()
        app.register(
          async (part) => {
            part.register(plugin)
            part.get('', sendPage)
            part.get('/page', sendPage)
          },
          { prefix },
        )

        const url = findScriptUrl((await inject(app, page)).body)

        assert.equal(url.split('?')[0], `${mount}/_visible/client.js`)
        if (mount) assert.match((await inject(app, url)).body, new RegExp(`'${mount}/_visible'`))
      })
    }
  }

  for (const position of ['before', 'after']) {
    it(`shares reply.locals with @fastify/view, which is registered ${position} it`, async () => {
      await using site = await startSite((app, plugin) => {
        if (position === 'after') app.register(plugin)
        app.register(view, { engine: { ejs }, root: `${import.meta.dirname}/views` })
        if (position === 'before') app.register(plugin)
        app.get('/', (_request, reply) => reply.view('page.ejs'))
      })

      assert.equal((await inject(site.app, '/')).body.trim(), '<p>[]</p>')
      await site.recorder.waitForOutcomes(2)
      assert.deepEqual(site.recorder.summaries.sort(), ['closient delivered', 'ens delivered'])
    })
  }

  it('makes a page with a token private, and its page-load cookie secure behind a trusted proxy', async () => {
    await using site = await startSite(
      (app, plugin) => {
        app.register(plugin)
        app.get('/', (request, reply) => {
          reply.headers({ 'cache-control': 'public, max-age=60', 'set-cookie': 'theme=dark' })
          return sendPage(request, reply)
        })
      },
      { options: { pageLoadCookie: true }, server: { trustProxy: true } },
    )

    const { headers } = await inject(site.app, '/', {
      accept: 'text/html',
      'x-forwarded-proto': 'https',
    })

    assert.equal(headers['cache-control'], 'private, max-age=60')
    const [theme, pageLoad] = [headers['set-cookie'] ?? []].flat()
    assert.equal(theme, 'theme=dark')
    assert.match(pageLoad ?? '', /^__Host-ad-page-load=.*; Secure;/)
  })

  it('delivers what is pending when the app closes', async () => {
    await using site = await startSite((app, plugin) => {
      app.register(plugin)
      app.get('/', sendPage)
    })
    await inject(site.app, '/')

    await site.app.close()

    assert.deepEqual(site.recorder.summaries, ['closient delivered'])
    assert.equal(site.plugin.stats().closient?.pending, 0)
  })

  it('leaves a shared tracker open when the app closes', async () => {
    await using sandbox = await startSandbox()
    await using tracker = createTracker(createOptions(sandbox))
    const recorder = new OutcomeRecorder(tracker)
    for (const _ of [1, 2]) {
      await using app = fastify()
      app.register(impressions({ tracker }))
      app.get('/', sendPage)
      await inject(app, '/')
    }

    await recorder.waitForOutcomes(2)
    assert.deepEqual(recorder.summaries, ['closient delivered', 'closient delivered'])
  })
})
