import express from 'express'
import type { Counting } from '../contestants/contestant.js'
import { type App, type InputsOf, PRODUCTS, type TrackerMethods, VIEWS } from './products.js'

export async function expressSite(
  { networks, track, trackFirst }: Counting,
  inputsOf: InputsOf,
): Promise<App> {
  const app = express()
  app.set('views', VIEWS)
  app.set('view engine', 'ejs')
  let tracker: TrackerMethods | undefined
  if (networks) {
    const { impressions } = await import('ad-impressions')
    const middleware = impressions({ networks })
    app.use(middleware)
    tracker = middleware
  }
  if (track) {
    app.use((_req, res, next) => {
      Object.assign(res.locals, { trackImpression: track })
      next()
    })
  }
  app.get('/', async (req, res) => {
    const inputs = inputsOf(req.query.first)
    if (trackFirst) await trackFirst(inputs)
    res.render('page', { products: PRODUCTS, inputs })
  })
  return { listener: app, tracker }
}
