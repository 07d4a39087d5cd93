// Koa and EJS. To start it: npm run example koa-ejs

import render from '@koa/ejs'
import { impressions } from 'ad-impressions/koa'
import Koa from 'koa'
import { banner, products } from '../ads.js'
import { sandboxUnlessKeys } from '../networks.js'
import { untilStopped } from '../until-stopped.js'

const sandbox = await sandboxUnlessKeys()

const app = new Koa()
const tracker = impressions() // keys from ENS_API_KEY and CLOSIENT_API_KEY
app.use(tracker)
render(app, { root: import.meta.dirname, viewExt: 'ejs', layout: false })

app.use(async (ctx) => {
  if (ctx.path === '/') await ctx.render('page', { banner, products })
})

await untilStopped(app.listen(process.env.PORT ?? 3000))
await tracker.close() // delivers what is pending
await sandbox?.close()
