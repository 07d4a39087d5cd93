import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { TrackerOptions } from '../../lib/options.js'
import { type Sandbox, startSandbox } from '../../lib/sandbox/sandbox.js'
import type { TrackImpression } from '../../lib/track-impression.js'
import { assembleTracker, type TestOverrides, type Tracker } from '../../lib/tracker.js'
import { getPort, listenOnLoopback } from './listen-on-loopback.js'
import { createMemoryLogger } from './memory-logger.js'
import { OutcomeRecorder } from './outcome-recorder.js'
import { createNetworks } from './sandbox-networks.js'

/** One request, as a page handles it. */
export interface Visit {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly trackImpression: TrackImpression
}

/** Answers a request. */
export type Page = (visit: Visit) => void | Promise<void>

/** A `node:http` server with one page, and a sandbox that receives its impressions. */
export class Publisher extends OutcomeRecorder implements AsyncDisposable {
  readonly sandbox: Sandbox
  readonly tracker: Tracker
  /** The messages that were logged. */
  readonly lines: string[]
  readonly #server: Server

  private constructor(sandbox: Sandbox, tracker: Tracker, server: Server, lines: string[]) {
    super(tracker)
    this.sandbox = sandbox
    this.tracker = tracker
    this.lines = lines
    this.#server = server
  }

  static async start(
    page: Page,
    options: TrackerOptions = {},
    overrides: TestOverrides = {},
  ): Promise<Publisher> {
    const sandbox = await startSandbox()
    const lines: string[] = []
    const logger = createMemoryLogger(lines)
    const allOptions = { networks: createNetworks(sandbox), logger, ...options }
    const { methods, pageLoad, reply } = assembleTracker(allOptions, overrides)
    const tracker: Tracker = {
      ...methods,
      pageLoad: (req, res) => pageLoad(req, res, req),
      reply: (req, body) => reply(req, req, body),
    }
    const server = createServer((req, res) => {
      void runPage(page, { req, res, trackImpression: tracker.pageLoad(req, res) })
    })
    await listenOnLoopback(server)
    return new Publisher(sandbox, tracker, server, lines)
  }

  get port(): number {
    return getPort(this.#server)
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await this.tracker.close({ timeoutMs: 1 })
    await this.sandbox.close()
    this.assertStatsBalanced()
  }
}

/** An error in a page fails the test. */
async function runPage(page: Page, visit: Visit): Promise<void> {
  try {
    await page(visit)
  } catch (error) {
    setImmediate(() => {
      throw error
    })
  }
}
