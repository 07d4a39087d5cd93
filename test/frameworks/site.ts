import { createServer } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import type { Server as NetServer } from 'node:net'
import type { TrackerOptions } from '../../lib/options.js'
import { type Sandbox, startSandbox } from '../../lib/sandbox/sandbox.js'
import type { TrackerMethods } from '../../lib/tracker.js'
import { listening, networksOf, portOf } from '../page-load/publisher.js'
import { loggerInto, Witness } from '../page-load/witness.js'
import { type Client, clientOf } from './client.js'
import { type App, at, type Framework, type Layer, type Page } from './framework.js'

interface Layout {
  /** A middleware is made of each. */
  readonly options?: readonly TrackerOptions<unknown>[]
  /** @default the first middleware, on the app */
  readonly layers?: readonly Layer[]
}

/** A server that can be closed with all its connections. */
export interface Served {
  readonly port: number
  close(): Promise<void>
}

/** A site in one of the frameworks, its viewer, and the networks that it tells. */
export class Site extends Witness implements AsyncDisposable {
  readonly sandbox: Sandbox
  readonly client: Client
  /** One for each of the layout's options; the site witnesses the first. */
  readonly trackers: readonly TrackerMethods[]
  readonly #served: Served

  private constructor(sandbox: Sandbox, { trackers }: App, served: Served, client: Client) {
    super(at(trackers, 0))
    this.sandbox = sandbox
    this.trackers = trackers
    this.client = client
    this.#served = served
  }

  static async start(framework: Framework, page: Page, layout: Layout = {}): Promise<Site> {
    const { options = [{}], layers = [{ of: 0, at: 'app' }] } = layout
    const sandbox = await startSandbox()
    const logger = loggerInto([])
    const complete = options.map((its) => ({ networks: networksOf(sandbox), logger, ...its }))
    const app = framework.build(complete, layers, page)
    const served = await serve(framework.protocol, app)
    return new Site(sandbox, app, served, clientOf(framework.protocol, served.port))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close()
    await this.#served.close()
    await Promise.all(this.trackers.map((tracker) => tracker.close({ timeoutMs: 1 })))
    await this.sandbox.close()
    this.assertBooksBalanced()
  }
}

/** Listens, in the clear, on a free port of the loopback interface. */
export async function serve(
  protocol: Framework['protocol'],
  { listener, http2Listener }: Pick<App, 'listener' | 'http2Listener'>,
): Promise<Served> {
  if (protocol === 'http2') {
    const server = createHttp2Server(http2Listener)
    await listening(server)
    return { port: portOf(server), close: () => closed(server) }
  }
  const server = createServer(listener)
  await listening(server)
  return {
    port: portOf(server),
    async close() {
      server.closeAllConnections()
      await closed(server)
    },
  }
}

async function closed(server: NetServer): Promise<void> {
  await new Promise<void>((resolve) => server.close(() => resolve()))
}
