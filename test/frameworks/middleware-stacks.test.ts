import assert from 'node:assert/strict'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import middie from '@fastify/middie'
import connect from 'connect'
import fastify from 'fastify'
import { fromNodeMiddleware, H3, toNodeHandler } from 'h3'
import polka from 'polka'
import { type ImpressionsMiddleware, impressions } from '../../lib/express.js'
import type { TrackImpression } from '../../lib/track-impression.js'
import { closientAd, ensAd } from '../page-load/campaigns.js'
import { findTokens, SAME_ORIGIN_HEADERS, VisibleSite } from '../visibility/visible-site.js'

type Handler = (req: IncomingMessage, res: ServerResponse) => void

/** Each creates an app that runs the middleware before its only page. */
const STACKS: Readonly<
  Record<string, (middleware: ImpressionsMiddleware, page: Handler) => Promise<RequestListener>>
> = {
  connect: async (middleware, page) => connect().use(middleware).use(page),
  polka: async (middleware, page) => {
    const app = polka().use(middleware).get('/', page)
    return (req, res) => void app.handler(req, res)
  },
  'middie on Fastify': async (middleware, page) => {
    const app = fastify()
    await app.register(middie)
    app.use(middleware)
    app.get('/', (request, reply) => {
      reply.hijack()
      page(request.raw, reply.raw)
    })
    await app.ready()
    return (req, res) => app.routing(req, res)
  },
  "h3's fromNodeMiddleware": async (middleware, page) => {
    const app = new H3()
    app.use(fromNodeMiddleware(middleware))
    app.get(
      '/',
      // In h3's types, a request may also be one of HTTP/2, which is not an IncomingMessage.
      fromNodeMiddleware((req: unknown, res: unknown) =>
        Reflect.apply(page, undefined, [req, res]),
      ),
    )
    return toNodeHandler(app)
  },
}

/** A page with an ad that counts when it is rendered, and one that counts when it is seen. */
function renderPage(_req: IncomingMessage, res: ServerResponse & { locals?: unknown }): void {
  const { trackImpression } = res.locals as { trackImpression: TrackImpression }
  res.setHeader('content-type', 'text/html')
  res.end(`[${trackImpression(closientAd())}]<p ${trackImpression.whenVisible(ensAd())}>`)
}

for (const [name, createListener] of Object.entries(STACKS)) {
  describe(`the middleware in ${name}, which has no res.locals`, () => {
    it('counts what pages show, serves the client script and takes its reports', async () => {
      await using site = await VisibleSite.start({
        async build(options) {
          const tracker = impressions(options)
          return { listener: await createListener(tracker, renderPage), trackers: [tracker] }
        },
      })

      const { status, text } = await site.request()
      assert.equal(status, 200)
      assert.match(text, /^\[\]<p data-ad-impression=/)
      const script = await site.request('/_visible/client.js')
      assert.match(script.text, /IntersectionObserver/)
      const report = await site.sendReport(findTokens(text), SAME_ORIGIN_HEADERS)
      assert.equal(report.status, 204)

      await site.waitForOutcomes(2)
      assert.deepEqual(await site.closeAndSummarize(), ['closient delivered', 'ens delivered'])
    })
  })
}
