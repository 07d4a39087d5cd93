import { createServer, type Server } from 'node:http'
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus'
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import { getPort, listenOnLoopback } from '../page-load/listen-on-loopback.js'
import { type Sample, scrape } from './scrape.js'

/** A meter provider of OpenTelemetry's SDK whose metrics are scraped over HTTP. */
export class MetricsServer implements AsyncDisposable {
  readonly meterProvider: MeterProvider
  readonly #server: Server

  private constructor(meterProvider: MeterProvider, server: Server) {
    this.meterProvider = meterProvider
    this.#server = server
  }

  static async start(): Promise<MetricsServer> {
    const exporter = new PrometheusExporter({ preventServerStart: true })
    const meterProvider = new MeterProvider({ readers: [exporter] })
    const server = createServer((req, res) => exporter.getMetricsRequestHandler(req, res))
    await listenOnLoopback(server)
    return new MetricsServer(meterProvider, server)
  }

  scrape(): Promise<Sample[]> {
    return scrape(`http://127.0.0.1:${getPort(this.#server)}/metrics`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await this.meterProvider.shutdown()
  }
}
