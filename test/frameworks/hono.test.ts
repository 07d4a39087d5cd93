import assert from 'node:assert/strict'
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import { Hono } from 'hono'
import type { TrackImpression } from '../../lib/track-impression.js'
import { createTracker, type Tracker } from '../../lib/tracker.js'
import { closientAd, ensAd } from '../page-load/campaigns.js'
import { findTokens, VisibleSite } from '../visibility/visible-site.js'

/** An app as docs/frameworks.md shows it. */
function createApp(tracker: Tracker) {
  const app = new Hono<{
    Bindings: HttpBindings
    Variables: { trackImpression: TrackImpression }
  }>()
  app.use(async (c, next) => {
    const reply = await tracker.reply(c.env.incoming)
    if (reply) return new Response(reply.body?.toString(), reply)
    c.set('trackImpression', tracker.pageLoad(c.env.incoming, c.env.outgoing))
    return next()
  })
  app.get('/', (c) => {
    const { trackImpression } = c.var
    return c.html(`[${trackImpression(closientAd())}]<p ${trackImpression.whenVisible(ensAd())}>`)
  })
  app.get('/moved', (c) => {
    c.var.trackImpression(closientAd())
    return c.redirect('/')
  })
  app.get('/broken', (c) => {
    c.var.trackImpression(closientAd())
    throw new Error('broken')
  })
  app.onError((_error, c) => c.text('broken', 500))
  return app
}

const startSite = () =>
  VisibleSite.start({
    build(options) {
      const tracker = createTracker(options)
      return { listener: getRequestListener(createApp(tracker).fetch), trackers: [tracker] }
    },
  })

describe('a tracker in Hono', () => {
  it('counts what pages show, serves the client script and takes its reports', async () => {
    await using site = await startSite()

    const { status, text } = await site.request()
    assert.equal(status, 200)
    assert.match(text, /^\[\]<p data-ad-impression=/)
    assert.match((await site.request('/_visible/client.js')).text, /IntersectionObserver/)
    assert.equal((await site.sendReport(findTokens(text))).status, 204)

    await site.waitForOutcomes(2)
    assert.deepEqual(await site.closeAndSummarize(), ['closient delivered', 'ens delivered'])
  })

  it('makes a page with a token private', async () => {
    await using site = await startSite()
    assert.match(String((await site.request()).headers['cache-control']), /private/)
  })

  it('suppresses what no one sees: HEAD, and what a redirect or an error has tracked', async () => {
    await using site = await startSite()

    await site.request('/moved', {}, 'HEAD')
    await site.request('/moved')
    await site.request('/broken')

    assert.deepEqual(await site.closeAndSummarize(), [
      'closient suppressed: method',
      'closient suppressed: redirect',
      'closient suppressed: server-error',
    ])
  })
})
