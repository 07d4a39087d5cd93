// An ad network of your own, with defineNetwork. Start it with: npm run example custom-network

import { impressions } from 'ad-impressions'
import express from 'express'
import { waitUntilStopped } from '../wait-until-stopped.js'
import { acme } from './acme.js'
import { startAcme } from './acme-server.js'

const network = await startAcme()

const app = express()
const tracker = impressions({
  networks: [acme({ apiKey: network.apiKey, baseUrl: network.baseUrl })],
})
app.use(tracker)

app.get('/', (_req, res) => {
  const { trackImpression } = res.locals
  res.send(`<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <title>The Daily Example</title>
  <h1>The Daily Example</h1>
  <p>Spring is here: a third off all seeds</p>
  ${trackImpression({ campaignId: 'spring-seeds', slot: 'top' })}
  <p>Your roof, seen to before the rain</p>
  ${trackImpression({ campaignId: 'sound-roofs', slot: 'side' })}
</html>`)
})

await waitUntilStopped(app.listen(process.env.PORT ?? 3000))
await tracker.close() // delivers pending impressions
await network.close()
