import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import express from 'express'
import express4 from 'express4'
import fastify from 'fastify'
import Koa from 'koa'
import mount from 'koa-mount'
import Koa2 from 'koa2'
import { impressions } from '../../../lib/express.js'
import { impressions as fastifyImpressions } from '../../../lib/fastify.js'
import { impressions as koaImpressions } from '../../../lib/koa.js'
import type { TrackerOptions } from '../../../lib/options.js'
import { createTracker } from '../../../lib/tracker.js'
import type { App } from '../../frameworks/framework.js'
import { ensAd } from '../../page-load/campaigns.js'
import { INSPECTOR, readInspector, startInspectedSite } from './inspected-site.js'

type Build = (options: TrackerOptions<unknown>) => App | Promise<App>

function mountInExpress(makeApp: typeof express): Build {
  return (options) => {
    const tracker = impressions(options)
    const app = makeApp().set('env', 'test').use('/sub', tracker)
    app.get('/sub/news', (_req, res) => {
      res.locals.trackImpression(ensAd())
      res.send('a page')
    })
    return { listener: app, trackers: [tracker] }
  }
}

function mountInKoa(makeApp: typeof Koa): Build {
  return (options) => {
    const tracker = koaImpressions(options)
    const app = new makeApp().use(mount('/sub', tracker))
    app.use((ctx) => {
      ctx.state.trackImpression?.(ensAd())
      ctx.body = 'a page'
    })
    return { listener: app.callback(), trackers: [tracker] }
  }
}

/** @param isShared whether the tracker may belong to other apps too */
function mountInFastify(isShared: boolean): Build {
  return async (options) => {
    const tracker = isShared ? createTracker(options) : undefined
    const plugin = fastifyImpressions(tracker ? { tracker } : options)
    const app = fastify()
    app.register(
      async (part) => {
        await part.register(plugin)
        part.get('/news', (_request, reply) => {
          reply.locals.trackImpression(ensAd())
          return 'a page'
        })
      },
      { prefix: '/sub' },
    )
    await app.ready()
    const listener = (req: IncomingMessage, res: ServerResponse) => app.routing(req, res)
    return { listener, trackers: [tracker ?? plugin] }
  }
}

function shareInExpress(options: TrackerOptions<unknown>): App {
  const tracker = createTracker(options)
  const app = express().set('env', 'test').use('/sub', impressions({ tracker }))
  app.get('/sub/news', (_req, res) => {
    res.locals.trackImpression(ensAd())
    res.send('a page')
  })
  return { listener: app, trackers: [tracker] }
}

const MOUNTED: readonly (readonly [where: string, build: Build])[] = [
  ['Express 4', mountInExpress(express4)],
  ['Express 5', mountInExpress(express)],
  ['Express with a shared tracker', shareInExpress],
  ['Koa 2', mountInKoa(Koa2)],
  ['Koa 3', mountInKoa(Koa)],
  ['Fastify', mountInFastify(false)],
  ['Fastify with a shared tracker', mountInFastify(true)],
]

for (const [where, build] of MOUNTED) {
  it(`the inspector is below the mount path in ${where}, and shows whole paths`, async () => {
    await using site = await startInspectedSite({ build })
    await site.request('/sub/news?q=private')
    await site.waitForOutcomes(1)

    const { pageLoads } = await readInspector(site, `/sub${INSPECTOR}`)

    assert.deepEqual(
      pageLoads.map(({ page }) => page),
      ['GET /sub/news'],
    )
    assert.match((await site.request(`/sub${INSPECTOR}`)).text, /<title>Ad impressions inspector/)
  })
}
