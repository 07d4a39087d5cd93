import { createServer, type Server } from 'node:http'
import { fileURLToPath } from 'node:url'
import ejs from '@koa/ejs'
import { impressions } from 'ad-impressions'
import { impressions as koaImpressions } from 'ad-impressions/koa'
import express from 'express'
import Koa from 'koa'
import type { Contestant, Counting } from '../contestants/contestant.js'

/** As the compiled bench stands beside the source. */
const VIEWS = fileURLToPath(new URL('../../bench/page/views', import.meta.url))

/** What the page shows: with these it is about 4 kB. */
const PRODUCTS = Array.from({ length: 50 }, (_, place) => ({
  id: 1_000 + place,
  name: `Organic granola bars no. ${place + 1} & more`,
  price: (3 + place / 7).toFixed(2),
}))

export type Framework = 'express' | 'koa'

/** The page's inputs to count, by the query's `first` campaign: from 1 on where there is none. */
type InputsOf = (first: unknown) => readonly never[]

function inputsOf({ impressions: count }: Contestant, counting: Counting): InputsOf {
  const make = (first: number) =>
    Array.from({ length: count }, (_, place) => counting.inputOf(first + place) as never)
  const usual = make(1)
  return (first) => (first === undefined ? usual : make(Number(first)))
}

function expressListener(counting: Counting, inputsFor: InputsOf) {
  const { tracker, track, trackFirst } = counting
  const app = express()
  app.set('views', VIEWS)
  app.set('view engine', 'ejs')
  if (tracker) app.use(impressions({ tracker }))
  if (track) {
    app.use((_req, res, next) => {
      Object.assign(res.locals, { trackImpression: track })
      next()
    })
  }
  app.get('/', async (req, res) => {
    const inputs = inputsFor(req.query.first)
    if (trackFirst) await trackFirst(inputs)
    res.render('page', { products: PRODUCTS, inputs })
  })
  return app
}

function koaListener(counting: Counting, inputsFor: InputsOf) {
  const { tracker, track, trackFirst } = counting
  const app = new Koa()
  ejs(app, { root: VIEWS, layout: false, viewExt: 'ejs' })
  if (tracker) app.use(koaImpressions({ tracker }))
  if (track) {
    app.use((ctx, next) => {
      Object.assign(ctx.state, { trackImpression: track })
      return next()
    })
  }
  app.use(async (ctx) => {
    const inputs = inputsFor(ctx.query.first)
    if (trackFirst) await trackFirst(inputs)
    await ctx.render('page', { products: PRODUCTS, inputs })
  })
  return app.callback()
}

/** The page, counted in the contestant's way. */
export function siteOf(framework: Framework, contestant: Contestant, counting: Counting): Server {
  const listenerOf = framework === 'express' ? expressListener : koaListener
  return createServer(listenerOf(counting, inputsOf(contestant, counting)))
}
