// A site by a user of Fastify, in JavaScript, with `import`.
import { impressions } from 'ad-impressions/fastify'
import { startSandbox } from 'ad-impressions/sandbox'
import fastify from 'fastify'

const sandbox = await startSandbox()
Object.assign(process.env, sandbox.env)

const app = fastify()
app.register(impressions({ visibility: { secret: 'a secret of thirty-two characters' } }))
app.get('/', async (_request, reply) => {
  const { trackImpression } = reply.locals
  const printed = [
    trackImpression({ campaignId: 42, placement: 'header_banner' }),
    trackImpression({ campaignId: 'mhvXdrZT4jP5T8vBxuvm75' }),
  ]
  return `page${printed.join('')}`
})

// Without a browser's User-Agent, the request counts as a bot's and its impressions are suppressed.
const browser = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
const page = await app.inject({ url: '/', headers: { 'user-agent': browser } })
console.log(page.body)
const script = await app.inject('/_visible/client.js')
if (script.statusCode !== 200) console.log(`client script: HTTP ${script.statusCode}`)

await app.close() // delivers what is pending
console.log(`ENS ${sandbox.ens.totals.impressions}`)
console.log(`Closient ${sandbox.closient.totals.impressions}`)
await sandbox.close()
