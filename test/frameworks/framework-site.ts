import type { TrackerOptions } from '../../lib/options.js'
import { type Sandbox, startSandbox } from '../../lib/sandbox/sandbox.js'
import type { TrackerMethods } from '../../lib/tracker.js'
import { createMemoryLogger } from '../page-load/memory-logger.js'
import { OutcomeRecorder } from '../page-load/outcome-recorder.js'
import { createNetworks } from '../page-load/sandbox-networks.js'
import { type App, type Framework, type FrameworkPage, getItem, type Layer } from './framework.js'
import { createClient, type ProtocolClient } from './protocol-client.js'
import { type RunningServer, startServer } from './start-server.js'

interface Layout {
  /** One middleware is created from each. */
  readonly options?: readonly TrackerOptions<unknown>[]
  /** @default the first middleware, mounted on the app */
  readonly layers?: readonly Layer[]
}

/** A site in one of the frameworks, its client, and a sandbox that receives its impressions. */
export class FrameworkSite extends OutcomeRecorder implements AsyncDisposable {
  readonly sandbox: Sandbox
  readonly client: ProtocolClient
  /** One for each of the layout's options. The outcomes of the first are recorded. */
  readonly trackers: readonly TrackerMethods[]
  readonly #server: RunningServer

  private constructor(
    sandbox: Sandbox,
    { trackers }: App,
    server: RunningServer,
    client: ProtocolClient,
  ) {
    super(getItem(trackers, 0))
    this.sandbox = sandbox
    this.trackers = trackers
    this.client = client
    this.#server = server
  }

  static async start(
    framework: Framework,
    page: FrameworkPage,
    layout: Layout = {},
  ): Promise<FrameworkSite> {
    const { options = [{}], layers = [{ optionsIndex: 0, target: 'app' }] } = layout
    const sandbox = await startSandbox()
    const logger = createMemoryLogger([])
    const allOptions = options.map((each) => ({
      networks: createNetworks(sandbox),
      logger,
      ...each,
    }))
    const app = framework.build(allOptions, layers, page)
    const server = await startServer(framework.protocol, app)
    const client = createClient(framework.protocol, server.port)
    return new FrameworkSite(sandbox, app, server, client)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close()
    await this.#server.close()
    await Promise.all(this.trackers.map((tracker) => tracker.close({ timeoutMs: 1 })))
    await this.sandbox.close()
    this.assertStatsBalanced()
  }
}
