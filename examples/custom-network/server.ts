// An ad network of your own, with defineNetwork. Start it with: npm run example custom-network

import { impressions } from 'ad-impressions'
import { type CustomRequest, startSandbox } from 'ad-impressions/sandbox'
import express from 'express'
import { waitUntilStopped } from '../wait-until-stopped.js'
import { acme } from './acme.js'

// Plays Acme on loopback, as its documentation describes it.
const sandbox = await startSandbox({ networks: { acme: { path: '/v1/views', verdict } } })
console.log(`See what Acme counts: ${sandbox.url}`)

function verdict({ authorization, body }: CustomRequest) {
  if (authorization !== 'right') return { status: 403 }
  const { views } = body as { views: { campaign: string; slot: string; device: string }[] }
  return {
    status: 204,
    counted: views.map(({ campaign, ...fields }) => ({ campaignId: campaign, ...fields })),
  }
}

const app = express()
const { ACME_API_KEY: apiKey, ACME_BASE_URL: baseUrl } = sandbox.env
const tracker = impressions({ networks: [acme({ apiKey, baseUrl })] })
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
await sandbox.close()
