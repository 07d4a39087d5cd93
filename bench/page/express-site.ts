import type { RequestListener } from 'node:http'
import express from 'express'
import type { Counting } from '../contestants/contestant.js'
import { type InputsOf, PRODUCTS, VIEWS } from './products.js'

export async function expressSite(
  { tracker, track, trackFirst }: Counting,
  inputsOf: InputsOf,
): Promise<RequestListener> {
  const app = express()
  app.set('views', VIEWS)
  app.set('view engine', 'ejs')
  if (tracker) {
    const { impressions } = await import('ad-impressions')
    app.use(impressions({ tracker }))
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
  return app
}
