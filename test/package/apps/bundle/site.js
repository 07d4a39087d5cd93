// A site that is bundled into one file, and runs without node_modules.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createTracker } from 'ad-impressions'
import { startSandbox } from 'ad-impressions/sandbox'

async function main() {
  const sandbox = await startSandbox()
  Object.assign(process.env, sandbox.env)

  const tracker = createTracker({ visibility: { secret: 'a secret of thirty-two characters' } })
  const server = createServer(async (req, res) => {
    const reply = await tracker.reply(req)
    if (reply) return res.writeHead(reply.status, reply.headers).end(reply.body)
    const trackImpression = tracker.pageLoad(req, res)
    const printed = [
      trackImpression({ campaignId: 42, placement: 'header_banner' }),
      trackImpression({ campaignId: 'mhvXdrZT4jP5T8vBxuvm75' }),
    ]
    return res.end(`page${printed.join('')}`)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  const url = `http://127.0.0.1:${server.address().port}/`
  // Without a browser's User-Agent, the request counts as a bot's and its impressions are suppressed.
  const browser = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
  const headers = { 'user-agent': browser, connection: 'close' }
  const page = await fetch(url, { headers })
  console.log(await page.text())
  const script = await fetch(`${url}_visible/client.js`, { headers })
  console.log(
    /new IntersectionObserver/.test(await script.text()) ? 'client script' : script.status,
  )

  server.close()
  await tracker.close()
  console.log(`ENS ${sandbox.ens.totals.impressions}`)
  console.log(`Closient ${sandbox.closient.totals.impressions}`)
  await sandbox.close()
}

main().catch((error) => {
  console.error(error)
  process.exitCode = 1
})
