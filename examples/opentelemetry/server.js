// Metrics for Prometheus, by OpenTelemetry's SDK. Start it with: npm run example opentelemetry

import { createServer } from 'node:http'
import path from 'node:path'
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus'
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import { impressions } from 'ad-impressions'
import { observe } from 'ad-impressions/opentelemetry'
import express from 'express'
import { banner, products } from '../ads.js'
import { startSandboxUnlessKeys } from '../start-sandbox.js'
import { closeServer, waitUntilStopped } from '../wait-until-stopped.js'

const sandbox = await startSandboxUnlessKeys()

const exporter = new PrometheusExporter({ preventServerStart: true })
const meterProvider = new MeterProvider({ readers: [exporter] })

const app = express()
const tracker = impressions() // keys from ENS_API_KEY and CLOSIENT_API_KEY
observe(tracker, { meterProvider })
app.use(tracker)
app.set('views', path.join(import.meta.dirname, '../express-ejs'))

app.get('/', (_req, res) => {
  res.render('page.ejs', { banner, products })
})

// A port of its own, which the public does not reach.
const metrics = createServer((req, res) => exporter.getMetricsRequestHandler(req, res))
metrics.listen(process.env.METRICS_PORT ?? 9464, 'localhost', () => {
  console.log(`Metrics: http://localhost:${metrics.address().port}/metrics`)
})

await waitUntilStopped(app.listen(process.env.PORT ?? 3000))
await tracker.close() // delivers pending impressions
await closeServer(metrics)
await meterProvider.shutdown()
await sandbox?.close()
