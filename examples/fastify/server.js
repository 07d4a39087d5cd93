// Fastify and EJS. Start it with: npm run example fastify

import path from 'node:path'
import { impressions } from 'ad-impressions/fastify'
import ejs from 'ejs'
import fastify from 'fastify'
import { banner, products } from '../ads.js'
import { startSandboxUnlessKeys } from '../start-sandbox.js'
import { waitUntilStopped } from '../wait-until-stopped.js'

const sandbox = await startSandboxUnlessKeys()

const app = fastify()
app.register(impressions()) // keys from ENS_API_KEY and CLOSIENT_API_KEY

// @fastify/view passes reply.locals to the template by itself: reply.view('page.ejs', { banner, products })
app.get('/', async (_request, reply) => {
  reply.type('text/html')
  const locals = { ...reply.locals, banner, products }
  return ejs.renderFile(path.join(import.meta.dirname, 'page.ejs'), locals)
})

await app.listen({ port: Number(process.env.PORT ?? 3000) })
await waitUntilStopped(app.server)
await app.close() // delivers pending impressions
await sandbox?.close()
