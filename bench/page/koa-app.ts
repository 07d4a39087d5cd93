import ejs from '@koa/ejs'
import Koa from 'koa'
import type { RunningContestant } from '../contestants/contestant.js'
import { PRODUCTS, VIEWS_FOLDER } from './products.js'
import type { CreatePageInputs, SiteApp } from './site-app.js'

export async function createKoaApp(
  { networks, track, trackBeforeRender }: RunningContestant,
  createInputs: CreatePageInputs,
): Promise<SiteApp> {
  const app = new Koa()
  ejs(app, { root: VIEWS_FOLDER, layout: false, viewExt: 'ejs' })
  const tracker = networks && (await import('ad-impressions/koa')).impressions({ networks })
  if (tracker) app.use(tracker)
  if (track) {
    app.use((ctx, next) => {
      Object.assign(ctx.state, { trackImpression: track })
      return next()
    })
  }
  app.use(async (ctx) => {
    const inputs = createInputs(ctx.query.first)
    if (trackBeforeRender) await trackBeforeRender(inputs)
    await ctx.render('page', { products: PRODUCTS, inputs })
  })
  return { listener: app.callback(), tracker }
}
