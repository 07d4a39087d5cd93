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

/** Renders the fetchPage that the path names. */
function expressApp(makeApp: typeof express, tracker: Tracker): App['listener'] {
  const app: Express = makeApp()
  app.set('views', VIEWS)
  app.set('view engine', 'ejs')
  app.use(expressImpressions({ tracker }))
  app.get('/:view', (req, res) => res.render(req.params.view))
  app.use((_error: Error, _req: Request, res: Response, _next: NextFunction) => {
    res.status(500).send('failed')
  })
  return app
}

function koaApp(makeApp: typeof Koa, tracker: Tracker): App['listener'] {
  const app = new makeApp()
  app.silent = true
  render(app, { root: VIEWS, viewExt: 'ejs', layout: false })
  app.use(koaImpressions({ tracker }))
  app.use((ctx) => ctx.render(ctx.path.slice(1)))
  return app.callback()
}

const ENGINES: Readonly<Record<string, (tracker: Tracker) => App['listener']>> = {
  'EJS in Express 4': (tracker) => expressApp(express4, tracker),
  'EJS in Express 5': (tracker) => expressApp(express, tracker),
  'EJS in Koa 2': (tracker) => koaApp(Koa2, tracker),
  'EJS in Koa 3': (tracker) => koaApp(Koa, tracker),
}

for (const [name, makeListener] of Object.entries(ENGINES)) {
  describe(`a template of ${name}`, () => {
    async function viewed(template: string) {
      await using sandbox = await startSandbox()
      const tracker = createTracker({
        networks: createNetworks(sandbox),
        logger: createMemoryLogger([]),
      })
      const witness = new OutcomeRecorder(tracker)
      const served = await startServer('http1', { listener: makeListener(tracker) })
      const page = await fetchPage(`http://127.0.0.1:${served.port}/${template}`)
      await witness.waitForOutcomes(2)
      await served.close()
      return { ...page, told: await witness.closeAndSummarize() }
    }

    it('sees the helper as a plain name, which prints nothing', async () => {
      const { text, told } = await viewed('page')

      assert.equal(text.trim(), '<p>[]</p>')
      assert.deepEqual(told, ['closient delivered', 'ens delivered'])
    })

    it('has it in what it includes, too', async () => {
      const { text, told } = await viewed('nested')

      assert.match(text, /^<main><p>\[\]<\/p>/)
      assert.deepEqual(told, ['closient delivered', 'ens delivered'])
    })

    it('that throws after it has tracked displays nothing but what ENS was told', async () => {
      const { status, told } = await viewed('broken')

      assert.equal(status, 500)
      assert.deepEqual(told, ['closient suppressed: server-error', 'ens delivered'])
    })
  })
}
