// Fastify and EJS. Start it with: npm run example fastify

import view from '@fastify/view'
import { impressions } from 'ad-impressions/fastify'
import ejs from 'ejs'
import fastify from 'fastify'
import { banner, products } from '../ads.js'
import { startSandboxUnlessKeys } from '../start-sandbox.js'
import { waitUntilStopped } from '../wait-until-stopped.js'

const sandbox = await startSandboxUnlessKeys()

const app = fastify()
await app.register(impressions()) // keys from ENS_API_KEY and CLOSIENT_API_KEY
await app.register(view, { engine: { ejs }, root: import.meta.dirname })

// The template also gets reply.locals, and so trackImpression.
app.get('/', (_request, reply) => reply.view('page.ejs', { banner, products }))

await app.listen({ port: Number(process.env.PORT ?? 3000) })
await waitUntilStopped(app.server)
await app.close() // delivers pending impressions
await sandbox?.close()
