// A site on a `node:http` server. No framework is installed here, and no framework's types; of
// OpenTelemetry, only the API.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { closient, createTracker, ens } from 'ad-impressions'
import { observe } from 'ad-impressions/opentelemetry'
import { startSandbox } from 'ad-impressions/sandbox'

await using sandbox = await startSandbox()
{
  await using tracker = createTracker({
    networks: [
      ens({ apiKey: sandbox.env.ENS_API_KEY, baseUrl: sandbox.env.ENS_BASE_URL }),
      closient({ apiKey: sandbox.env.CLOSIENT_API_KEY, baseUrl: sandbox.env.CLOSIENT_BASE_URL }),
    ],
    country: (req) => req.headers['x-country']?.toString(),
  })
  observe(tracker)
  const site = createServer((req, res) => {
    const trackImpression = tracker.pageLoad(req, res)
    const printed = [
      trackImpression({ campaignId: 42, placement: 'header_banner' }),
      trackImpression({ campaignId: 'mhvXdrZT4jP5T8vBxuvm75' }),
    ]
    res.end(`page${printed.join('')}`)
  })
  await using server = site.listen(0, '127.0.0.1')
  await once(server, 'listening')

  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}/`
  // Without a browser's User-Agent, the request counts as a bot's and its impressions are suppressed.
  const browser = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
  const page = await fetch(url, { headers: { 'user-agent': browser, connection: 'close' } })
  console.log(await page.text())
}
// Leaving the scope has closed the tracker, so everything is delivered.
console.log(`ENS ${sandbox.ens.totals.impressions}`)
console.log(`Closient ${sandbox.closient.totals.impressions}`)
