import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { bodyParser } from '@koa/bodyparser'
import express, { type RequestHandler } from 'express'
import express4 from 'express4'
import Koa, { type Middleware } from 'koa'
import Koa2 from 'koa2'
import { impressions } from '../../lib/express.js'
import { impressions as koaImpressions } from '../../lib/koa.js'
import type { TrackerOptions } from '../../lib/options.js'
import type { App } from '../frameworks/framework.js'
import { closientAd, ensAd } from '../page-load/campaigns.js'
import { formatRequest, RawClient } from '../page-load/raw-client.js'
import { SAME_ORIGIN_HEADERS, VisibleSite } from './visible-site.js'

type Options = TrackerOptions<unknown>

function expressApp(makeApp: typeof express, options: Options, before: RequestHandler): App {
  const app = makeApp().set('env', 'test')
  const tracker = impressions(options)
  app.use(before, tracker)
  app.use((_req, res) => {
    const { whenVisible } = res.locals.trackImpression
    res.send(`<p ${whenVisible(ensAd())}><p ${whenVisible(closientAd())}>`)
  })
  return { listener: app, trackers: [tracker] }
}

function koaApp(makeApp: typeof Koa, options: Options, before: Middleware): App {
  const app = new makeApp()
  app.silent = true
  const tracker = koaImpressions(options)
  app.use(before).use(tracker)
  app.use((ctx) => {
    const { whenVisible } = ctx.state.trackImpression
    ctx.body = `<p ${whenVisible(ensAd())}><p ${whenVisible(closientAd())}>`
  })
  return { listener: app.callback(), trackers: [tracker] }
}

const EXPRESS = { 'Express 4': express4, 'Express 5': express } as const
const KOA = { 'Koa 2': Koa2, 'Koa 3': Koa } as const

/** Middleware after which a report can still be read. */
const EXPRESS_PARSERS = (framework: typeof express): Readonly<Record<string, RequestHandler>> => ({
  'express.json()': framework.json(),
  'express.json() of all types': framework.json({ type: '*/*' }),
  'express.text() of all types': framework.text({ type: '*/*' }),
  'express.text()': framework.text(),
  'express.raw() of all types': framework.raw({ type: '*/*' }),
  'express.urlencoded()': framework.urlencoded({ extended: true }),
  'a slow middleware': (_req, _res, next) => void setTimeout(next, 20),
  'a middleware that pauses the request': (req, _res, next) => {
    req.pause()
    next()
  },
  'a middleware that sets an encoding': (req, _res, next) => {
    req.setEncoding('utf8')
    next()
  },
})

const KOA_PARSERS: Readonly<Record<string, Middleware>> = {
  '@koa/bodyparser': bodyParser(),
  '@koa/bodyparser of text': bodyParser({ enableTypes: ['text', 'json'] }),
  'a slow middleware': async (_ctx, next) => {
    await delay(20)
    await next()
  },
}

/** Middleware that consumes a report, so that it can no longer be read. */
const EXPRESS_CONSUMERS = (
  framework: typeof express,
): Readonly<Record<string, RequestHandler>> => ({
  'express.urlencoded() of all types': framework.urlencoded({ extended: true, type: '*/*' }),
  'a middleware that discards the body': (req, _res, next) => {
    req.resume().on('end', () => next())
  },
})

const KOA_CONSUMERS: Readonly<Record<string, Middleware>> = {
  'a middleware that discards the body': async (ctx, next) => {
    for await (const _ of ctx.req);
    await next()
  },
}

type Build = (options: Options) => App

function* listApps(
  express: typeof EXPRESS_PARSERS,
  koa: typeof KOA_PARSERS,
): Generator<[name: string, build: Build]> {
  for (const [name, makeApp] of Object.entries(EXPRESS)) {
    for (const [what, before] of Object.entries(express(makeApp))) {
      yield [`${what} in ${name}`, (options) => expressApp(makeApp, options, before)]
    }
  }
  for (const [name, makeApp] of Object.entries(KOA)) {
    for (const [what, before] of Object.entries(koa)) {
      yield [`${what} in ${name}`, (options) => koaApp(makeApp, options, before)]
    }
  }
}

describe('a report that has passed', () => {
  for (const [name, build] of listApps(EXPRESS_PARSERS, KOA_PARSERS)) {
    it(`${name} counts`, async () => {
      await using site = await VisibleSite.start({ build })

      assert.equal((await site.sendReport(await site.fetchTokens())).status, 204)

      await site.waitForOutcomes(2)
      assert.deepEqual(await site.closeAndSummarize(), ['closient delivered', 'ens delivered'])
    })

    it(`${name} is answered even if it is empty`, async () => {
      await using site = await VisibleSite.start({ build })
      const json = { ...SAME_ORIGIN_HEADERS, 'content-type': 'application/json' }

      for (const headers of [SAME_ORIGIN_HEADERS, json]) {
        for (const length of [{}, { 'content-length': '0' }]) {
          assert.equal((await site.sendReport('', { ...headers, ...length })).status, 204)
        }
      }

      assert.equal(site.tracker.stats().unknown?.invalid, 4)
    })
  }

  for (const [name, build] of listApps(EXPRESS_CONSUMERS, KOA_CONSUMERS)) {
    it(`${name} counts nothing, and the log says why`, async () => {
      await using site = await VisibleSite.start({ build })

      assert.equal((await site.sendReport(await site.fetchTokens())).status, 204)

      assert.deepEqual(await site.closeAndSummarize(), ['unknown invalid'])
      assert.match(
        site.logLines.join(),
        /a body that no middleware before impressions\(\) has consumed/,
      )
    })
  }

  for (const [name, build] of listApps(
    () => ({ 'a slow middleware': (_req, _res, next) => void setTimeout(next, 50) }),
    {
      'a slow middleware': async (_ctx, next) => {
        await delay(50)
        await next()
      },
    },
  )) {
    it(`${name} counts nothing if its connection is reset meanwhile`, async () => {
      await using site = await VisibleSite.start({ build })
      const client = await RawClient.connect(site.port)
      const head = formatRequest('/_visible', { ...SAME_ORIGIN_HEADERS, 'content-length': '100' })

      client.send(`${head.replace('GET', 'POST')}["`)
      await delay(20)
      await client.disconnect()

      await site.waitForOutcomes(1)
      assert.deepEqual(await site.closeAndSummarize(), ['unknown invalid'])
    })
  }

  for (const [name, makeApp] of Object.entries(EXPRESS)) {
    it(`a middleware that has already answered, in ${name}, is not answered again`, async () => {
      const failures: unknown[] = []
      await using site = await VisibleSite.start({
        build(options) {
          const app = expressApp(makeApp, options, (_req, res, next) => {
            res.sendStatus(503)
            next()
          })
          const withFailures = makeApp().use(app.listener)
          withFailures.use(((error, _req, _res, next) => {
            failures.push(error)
            next(error)
          }) as express.ErrorRequestHandler)
          return { ...app, listener: withFailures }
        },
      })

      assert.equal((await site.sendReport('[]')).status, 503)
      await delay(20)

      assert.deepEqual(failures, [])
    })
  }
})
