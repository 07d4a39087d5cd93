// A site by a user of Koa, in TypeScript that compiles to `require()`.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { closient, ens } from 'ad-impressions'
import { impressions } from 'ad-impressions/koa'
import { startSandbox } from 'ad-impressions/sandbox'
import Koa from 'koa'

async function main(): Promise<void> {
  await using sandbox = await startSandbox()
  {
    await using middleware = impressions({
      networks: [
        ens({ apiKey: sandbox.env.ENS_API_KEY, baseUrl: sandbox.env.ENS_BASE_URL }),
        closient({ apiKey: sandbox.env.CLOSIENT_API_KEY, baseUrl: sandbox.env.CLOSIENT_BASE_URL }),
      ],
    })
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
    await using server = app.listen(0, '127.0.0.1')
    await once(server, 'listening')

    const { port } = server.address() as AddressInfo
    const url = `http://127.0.0.1:${port}/`
    // Without a browser's User-Agent, the request counts as a bot's and its impressions are suppressed.
    const browser = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
    const page = await fetch(url, { headers: { 'user-agent': browser, connection: 'close' } })
    console.log(await page.text())
  }
  // Leaving the scope has closed the middleware, so everything is delivered.
  console.log(`ENS ${sandbox.ens.totals.impressions}`)
  console.log(`Closient ${sandbox.closient.totals.impressions}`)
}

main().catch((error) => {
  console.error(error)
  process.exitCode = 1
})
