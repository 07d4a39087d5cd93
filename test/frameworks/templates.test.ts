import assert from 'node:assert/strict'
import render from '@koa/ejs'
import express, { type Express, type NextFunction, type Request, type Response } from 'express'
import express4 from 'express4'
import Koa from 'koa'
import Koa2 from 'koa2'
import { impressions as expressImpressions } from '../../lib/express.js'
import { impressions as koaImpressions } from '../../lib/koa.js'
import { startSandbox } from '../../lib/sandbox/sandbox.js'
import type { Tracker } from '../../lib/tracker.js'
import { createTracker } from '../../lib/tracker.js'
import { fetchPage } from '../page-load/fetch-page.js'
import { createMemoryLogger } from '../page-load/memory-logger.js'
import { OutcomeRecorder } from '../page-load/outcome-recorder.js'
import { createNetworks } from '../page-load/sandbox-networks.js'
import type { App } from './framework.js'
import { startServer } from './start-server.js'

const VIEWS = new URL('views', import.meta.url).pathname

/** Renders the view that the path names. */
function createExpressApp(createApp: typeof express, tracker: Tracker): App['listener'] {
  const app: Express = createApp()
  app.set('views', VIEWS)
  app.set('view engine', 'ejs')
  app.use(expressImpressions({ tracker }))
  app.get('/:view', (req, res) => res.render(req.params.view))
  app.use((_error: Error, _req: Request, res: Response, _next: NextFunction) => {
    res.status(500).send('failed')
  })
  return app
}

function createKoaApp(KoaApp: typeof Koa, tracker: Tracker): App['listener'] {
  const app = new KoaApp()
  app.silent = true
  render(app, { root: VIEWS, viewExt: 'ejs', layout: false })
  app.use(koaImpressions({ tracker }))
  app.use((ctx) => ctx.render(ctx.path.slice(1)))
  return app.callback()
}

const ENGINES: Readonly<Record<string, (tracker: Tracker) => App['listener']>> = {
  'EJS in Express 4': (tracker) => createExpressApp(express4, tracker),
  'EJS in Express 5': (tracker) => createExpressApp(express, tracker),
  'EJS in Koa 2': (tracker) => createKoaApp(Koa2, tracker),
  'EJS in Koa 3': (tracker) => createKoaApp(Koa, tracker),
}

for (const [name, createListener] of Object.entries(ENGINES)) {
  describe(`a template of ${name}`, () => {
    async function renderTemplate(template: string) {
      await using sandbox = await startSandbox()
      const tracker = createTracker({
        networks: createNetworks(sandbox),
        logger: createMemoryLogger([]),
      })
      const recorder = new OutcomeRecorder(tracker)
      const server = await startServer('http1', { listener: createListener(tracker) })
      const page = await fetchPage(`http://127.0.0.1:${server.port}/${template}`)
      await recorder.waitForOutcomes(2)
      await server.close()
      return { ...page, summaries: await recorder.closeAndSummarize() }
    }

    it('sees the helper as a plain name, which prints nothing', async () => {
      const { text, summaries } = await renderTemplate('page')

      assert.equal(text.trim(), '<p>[]</p>')
      assert.deepEqual(summaries, ['closient delivered', 'ens delivered'])
    })

    it('passes the helper to the templates it includes', async () => {
      const { text, summaries } = await renderTemplate('nested')

      assert.match(text, /^<main><p>\[\]<\/p>/)
      assert.deepEqual(summaries, ['closient delivered', 'ens delivered'])
    })

    it('that throws after tracking suppresses what is held but not what was sent', async () => {
      const { status, summaries } = await renderTemplate('broken')

      assert.equal(status, 500)
      assert.deepEqual(summaries, ['closient suppressed: server-error', 'ens delivered'])
    })
  })
}
