// Express on AWS Lambda. Start it with: npm run example aws-lambda

import { impressions } from 'ad-impressions'
import express from 'express'
import serverless from 'serverless-http'
import { banner, products } from '../ads.js'

// Created once per instance, so that its connections stay open.
const app = express()
const tracker = impressions() // keys from ENS_API_KEY and CLOSIENT_API_KEY
app.use(tracker)
app.set('views', import.meta.dirname)

app.get('/', (_req, res) => {
  res.render('page.ejs', { banner, products })
})
app.get('/moved', (_req, res) => {
  res.locals.trackImpression(products[0])
  res.redirect('/')
})

const respond = serverless(app)

/** The function for API Gateway (HTTP API, payload format 2.0). */
export async function handler(event, context) {
  try {
    return await respond(event, context)
  } finally {
    // Once the handler returns, the instance may be frozen: deliver before, but not for long.
    await tracker.flush({ timeoutMs: 2_000 })
  }
}
