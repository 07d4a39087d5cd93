import express from 'express'
import type { RunningContestant } from '../contestants/contestant.js'
import { PRODUCTS, VIEWS_FOLDER } from './products.js'
import type { CreatePageInputs, SiteApp } from './site-app.js'

export async function createExpressApp(
  { networks, track, trackBeforeRender }: RunningContestant,
  createInputs: CreatePageInputs,
): Promise<SiteApp> {
  const app = express()
  app.set('views', VIEWS_FOLDER)
  app.set('view engine', 'ejs')
  const tracker = networks && (await import('ad-impressions')).impressions({ networks })
  if (tracker) app.use(tracker)
  if (track) {
    app.use((_req, res, next) => {
      Object.assign(res.locals, { trackImpression: track })
      next()
    })
  }
  app.get('/', async (req, res) => {
    const inputs = createInputs(req.query.first)
    if (trackBeforeRender) await trackBeforeRender(inputs)
    res.render('page', { products: PRODUCTS, inputs })
  })
  return { listener: app, tracker }
}
