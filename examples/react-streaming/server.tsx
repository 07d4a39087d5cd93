// React, streamed by Express. Start it with: npm run example react-streaming

import { impressions } from 'ad-impressions'
import express from 'express'
import { renderToPipeableStream } from 'react-dom/server'
import { startSandboxUnlessKeys } from '../start-sandbox.js'
import { waitUntilStopped } from '../wait-until-stopped.js'
import { fetchProducts, Page } from './page.js'

const sandbox = await startSandboxUnlessKeys()

const app = express()
const tracker = impressions() // keys from ENS_API_KEY and CLOSIENT_API_KEY
app.use(tracker)

app.get('/', (_req, res, next) => {
  const { trackImpression } = res.locals
  const page = <Page trackImpression={trackImpression} products={fetchProducts()} />
  const { pipe, abort } = renderToPipeableStream(page, {
    onShellReady() {
      res.setHeader('content-type', 'text/html; charset=utf-8')
      pipe(res)
    },
    onShellError: next,
  })
  res.on('close', abort)
})

await waitUntilStopped(app.listen(process.env.PORT ?? 3000))
await tracker.close() // delivers pending impressions
await sandbox?.close()
