import express from 'express'
import type { Counting } from '../contestants/contestant.js'
import type { App, InputsOf } from './app.js'
import { PRODUCTS, VIEWS } from './products.js'

export async function expressSite(
  { networks, track, trackFirst }: Counting,
  inputsOf: InputsOf,
): Promise<App> {
  const app = express()
  app.set('views', VIEWS)
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
    const inputs = inputsOf(req.query.first)
    if (trackFirst) await trackFirst(inputs)
    res.render('page', { products: PRODUCTS, inputs })
  })
  return { listener: app, tracker }
}
