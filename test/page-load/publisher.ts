import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Server as NetServer } from 'node:net'
import { closient } from '../../lib/networks/closient.js'
import { ens } from '../../lib/networks/ens.js'
import type { Network } from '../../lib/networks/network.js'
import type { TrackerOptions } from '../../lib/options.js'
import { type Sandbox, startSandbox } from '../../lib/sandbox/sandbox.js'
import type { TrackImpression } from '../../lib/track-impression.js'
import { assembleTracker, type TestOverrides, type Tracker } from '../../lib/tracker.js'
import { loggerInto, Witness } from './witness.js'

/** One request, as a page sees it. */
export interface Visit {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly trackImpression: TrackImpression
}

/** Answers a request. */
export type Page = (visit: Visit) => void | Promise<void>

/** Where the networks are, and their keys: a sandbox has both. */
type Addresses = Readonly<
  Record<'ens' | 'closient', { readonly apiKey: string; readonly baseUrl: string }>
>

/** Both networks, as the sandbox has them. */
export function networksOf({ ens: e, closient: c }: Addresses): Network[] {
  return [
    ens({ apiKey: e.apiKey, baseUrl: e.baseUrl }),
    closient({ apiKey: c.apiKey, baseUrl: c.baseUrl }),
  ]
}

/** A bare `node:http` server with ads on it, and the networks that it tells of them. */
export class Publisher extends Witness implements AsyncDisposable {
  readonly sandbox: Sandbox
  readonly tracker: Tracker
  /** What was logged. */
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
    surroundings: TestOverrides = {},
  ): Promise<Publisher> {
    const sandbox = await startSandbox()
    const lines: string[] = []
    const logger = loggerInto(lines)
    const complete = { networks: networksOf(sandbox), logger, ...options }
    const { methods, pageLoad, reply } = assembleTracker(complete, surroundings)
    const tracker: Tracker = {
      ...methods,
      pageLoad: (req, res) => pageLoad(req, res, req),
      reply: (req, body) => reply(req, req, body),
    }
    const server = createServer((req, res) => {
      void answer(page, { req, res, trackImpression: tracker.pageLoad(req, res) })
    })
    await listening(server)
    return new Publisher(sandbox, tracker, server, lines)
  }

  get port(): number {
    return portOf(this.#server)
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await this.tracker.close({ timeoutMs: 1 })
    await this.sandbox.close()
    this.assertBooksBalanced()
  }
}

/** A page that fails fails the test. */
async function answer(page: Page, visit: Visit): Promise<void> {
  try {
    await page(visit)
  } catch (error) {
    setImmediate(() => {
      throw error
    })
  }
}

/** Resolves once the server listens on a free port of the loopback interface. */
export async function listening(server: NetServer): Promise<void> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
}

export function portOf(server: NetServer): number {
  return (server.address() as AddressInfo).port
}
