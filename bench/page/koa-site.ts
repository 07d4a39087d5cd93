import ejs from '@koa/ejs'
import Koa from 'koa'
import type { Counting } from '../contestants/contestant.js'
import type { App, InputsOf } from './app.js'
import { PRODUCTS, VIEWS } from './products.js'

export async function koaSite(
  { networks, track, trackFirst }: Counting,
  inputsOf: InputsOf,
): Promise<App> {
  const app = new Koa()
  ejs(app, { root: VIEWS, layout: false, viewExt: 'ejs' })
  const tracker = networks && (await import('ad-impressions/koa')).impressions({ networks })
  if (tracker) app.use(tracker)
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
  return { listener: app.callback(), tracker }
}
