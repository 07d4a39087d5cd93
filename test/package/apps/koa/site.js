// A site by a user of Koa, in JavaScript, with `import`.
import { once } from 'node:events'
import { impressions } from 'ad-impressions/koa'
import { startSandbox } from 'ad-impressions/sandbox'
import Koa from 'koa'

const sandbox = await startSandbox()
Object.assign(process.env, sandbox.env)

const middleware = impressions({ visibility: { secret: 'a secret of thirty-two characters' } })
const app = new Koa()
app.use(middleware)
app.use((ctx) => {
  const { trackImpression } = ctx.state
  const printed = [
    trackImpression({ campaignId: 42, placement: 'header_banner' }),
    trackImpression({ campaignId: 'mhvXdrZT4jP5T8vBxuvm75' }),
  ]
  ctx.body = `page${printed.join('')}`
})
const server = app.listen(0, '127.0.0.1')
await once(server, 'listening')

const url = `http://127.0.0.1:${server.address().port}/`
// Without a browser's User-Agent, the request counts as a bot's and its impressions are suppressed.
const browser = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
const page = await fetch(url, { headers: { 'user-agent': browser, connection: 'close' } })
console.log(await page.text())
const script = await fetch(`${url}_visible/client.js`, { headers: { connection: 'close' } })
if (!script.ok) console.log(`client script: HTTP ${script.status}`)

server.close()
await middleware.close()
console.log(`ENS ${sandbox.ens.totals.impressions}`)
console.log(`Closient ${sandbox.closient.totals.impressions}`)
await sandbox.close()
