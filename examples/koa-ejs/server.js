// Koa and EJS. Start it with: npm run example koa-ejs

import render from '@koa/ejs'
import { impressions } from 'ad-impressions/koa'
import Koa from 'koa'
import { banner, products } from '../ads.js'
import { startSandboxUnlessKeys } from '../start-sandbox.js'
import { waitUntilStopped } from '../wait-until-stopped.js'

const sandbox = await startSandboxUnlessKeys()

const app = new Koa()
const tracker = impressions() // keys from ENS_API_KEY and CLOSIENT_API_KEY
app.use(tracker)
render(app, { root: import.meta.dirname, viewExt: 'ejs', layout: false })

app.use(async (ctx) => {
  if (ctx.path === '/') await ctx.render('page', { banner, products })
})

await waitUntilStopped(app.listen(process.env.PORT ?? 3000))
await tracker.close() // delivers pending impressions
await sandbox?.close()
