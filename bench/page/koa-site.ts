import type { RequestListener } from 'node:http'
import ejs from '@koa/ejs'
import Koa from 'koa'
import type { Counting } from '../contestants/contestant.js'
import { type InputsOf, PRODUCTS, VIEWS } from './products.js'

export async function koaSite(
  { tracker, track, trackFirst }: Counting,
  inputsOf: InputsOf,
): Promise<RequestListener> {
  const app = new Koa()
  ejs(app, { root: VIEWS, layout: false, viewExt: 'ejs' })
  if (tracker) {
    const { impressions } = await import('ad-impressions/koa')
    app.use(impressions({ tracker }))
  }
  if (track) {
    app.use((ctx, next) => {
      Object.assign(ctx.state, { trackImpression: track })
      return next()
    })
  }
  app.use(async (ctx) => {
    const inputs = inputsOf(ctx.query.first)
    if (trackFirst) await trackFirst(inputs)
    await ctx.render('page', { products: PRODUCTS, inputs })
  })
  return app.callback()
}
