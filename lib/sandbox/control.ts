import type { IncomingMessage, ServerResponse } from 'node:http'
import { z } from 'zod'
import { readBody } from '../request/read-body.js'
import type { SandboxNetworks } from './create-networks.js'
import { describeCall, describeNetwork } from './describe-network.js'
import { parseFault } from './fault.js'
import { describeProblems, isJson } from './json-input.js'
import type { LiveUpdates } from './live-updates.js'
import type { ServedNetwork } from './network.js'
import type { CampaignFields } from './network-rules.js'
import { PAGE_HEADERS, renderPage } from './render-page.js'
import type { SandboxCall } from './sandbox-call.js'

const MAX_BODY_BYTES = 1024 * 1024

/** A request that is refused. The response is `{ "error": message }`. */
class Refusal extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

const network = z.string()
const FAULT = z.strictObject({ network, fault: z.unknown(), times: z.int().positive().optional() })
const CONNECTIONS = z.strictObject({ network, state: z.enum(['accept', 'refuse', 'close-idle']) })
const SPEND = z.strictObject({ calls: z.int().min(1) })

/**
 * The sandbox page, its events, and the HTTP API that controls the sandbox:
 *
 * - `GET /sandbox/ens`, `GET /sandbox/closient`, `GET /sandbox/<your network>`: totals, faults,
 *   latest calls and impressions
 * - `GET /sandbox/ens/calls/<id>`: one call, as the page shows it
 * - `POST /sandbox/faults` `{ network, fault, times? }`: sets a fault and returns its `id`
 * - `DELETE /sandbox/faults?network=…&id=…`: clears one fault; without `id`, all faults of the
 *   network; without either, all faults
 * - `POST /sandbox/connections` `{ network, state: 'accept' | 'refuse' | 'close-idle' }`
 * - `POST /sandbox/spend` `{ calls }`: uses up calls of Closient's rate limit
 * - `POST /sandbox/reset`: clears everything
 *
 * Invalid input gets a 400 that says what is wrong. Any web page in the user's browser can send
 * requests to a loopback port. Requests are therefore refused if they have a foreign `Host` (DNS
 * rebinding), a foreign `Origin`, or a body without a JSON `Content-Type` (which other sites cannot
 * send without a preflight request).
 */
export class Control {
  readonly #networks: SandboxNetworks
  readonly #updates: LiveUpdates
  readonly #reset: () => void
  readonly #resume = new Map<string, () => Promise<void>>()

  constructor(networks: SandboxNetworks, updates: LiveUpdates, reset: () => void) {
    this.#networks = networks
    this.#updates = updates
    this.#reset = reset
  }

  async handleRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      refuseForeignRequest(request)
      await this.#route(request, response)
    } catch (error) {
      if (response.headersSent || response.destroyed) return
      const status = error instanceof Refusal ? error.status : 500
      const message = error instanceof Refusal ? error.message : 'internal error'
      sendJson(response, status, { error: message })
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://sandbox')
    const route = `${request.method} ${pathname}`
    const [, prefix, name = '', part, id] = pathname.split('/')
    const listed = prefix === 'sandbox' ? this.#networks.all.get(name) : undefined
    const isList = request.method === 'GET' && listed !== undefined
    if (route === 'GET /') {
      response.writeHead(200, PAGE_HEADERS).end(renderPage(this.#networks.all))
    } else if (route === 'GET /events') {
      this.#updates.addPage(response)
    } else if (isList && part === undefined) {
      sendJson(response, 200, describeNetwork(listed))
    } else if (isList && part === 'calls') {
      sendJson(response, 200, describeCall(findCall(listed, Number(id))))
    } else {
      await this.#runCommand(route, searchParams, request, response)
      this.#updates.sendNow()
    }
  }

  async #runCommand(
    route: string,
    query: URLSearchParams,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    switch (route) {
      case 'POST /sandbox/faults':
        sendJson(response, 201, { id: this.#setFault(await readJson(request, FAULT)) })
        break
      case 'DELETE /sandbox/faults':
        this.#clearFaults(query)
        response.writeHead(204).end()
        break
      case 'POST /sandbox/connections':
        await this.#setConnections(await readJson(request, CONNECTIONS))
        response.writeHead(204).end()
        break
      case 'POST /sandbox/spend': {
        const { calls } = await readJson(request, SPEND)
        sendJson(response, 200, { spent: this.#networks.closient.spend(calls) })
        break
      }
      case 'POST /sandbox/reset':
        this.#reset()
        response.writeHead(204).end()
        break
      default:
        throw new Refusal(404, `no route ${route}; the networks listen on their own ports`)
    }
  }

  #setFault({ network, fault, times }: z.infer<typeof FAULT>): number {
    try {
      const options = times === undefined ? {} : { times }
      return this.#findNetwork(network).setFault(parseFault(fault), options)
    } catch (error) {
      throw error instanceof TypeError ? new Refusal(400, error.message) : error
    }
  }

  #clearFaults(query: URLSearchParams): void {
    const id = query.get('id')
    const name = query.get('network')
    if (id !== null && name === null) throw new Refusal(400, 'id: requires network')
    const networks = name === null ? this.#networks.all.values() : [this.#findNetwork(name)]
    for (const selected of networks) {
      if (id === null) selected.clearFaults()
      else if (!selected.clearFault(Number(id))) throw new Refusal(404, 'no such fault')
    }
  }

  #findNetwork(name: string): ServedNetwork<CampaignFields> {
    const found = this.#networks.all.get(name)
    if (found !== undefined) return found
    throw new Refusal(400, `network: must be one of ${[...this.#networks.all.keys()].join(', ')}`)
  }

  async #setConnections({ network, state }: z.infer<typeof CONNECTIONS>): Promise<void> {
    if (state === 'close-idle') {
      await this.#findNetwork(network).closeIdleConnections()
      return
    }
    const resume = this.#resume.get(network)
    if (state === 'accept') {
      this.#resume.delete(network)
      await resume?.()
    } else if (resume === undefined) {
      const refusing = this.#findNetwork(network).refuse()
      this.#resume.set(network, async () => (await refusing)())
      await refusing
    }
  }
}

function findCall(network: ServedNetwork<CampaignFields>, id: number): SandboxCall {
  const found = network.calls.find((call) => call.id === id)
  if (found === undefined) throw new Refusal(404, 'no such call; the ledger keeps the latest')
  return found
}

function refuseForeignRequest(request: IncomingMessage): void {
  const { host, origin } = request.headers
  const { localPort } = request.socket
  // The server has checked that the name is a loopback name.
  if (localPort !== 80 && !host?.endsWith(`:${localPort}`)) {
    throw new Refusal(403, 'the Host header is not the address of the sandbox')
  }
  const isForeign = origin !== undefined && origin !== `http://${host}`
  const site = request.headers['sec-fetch-site']
  // `none`: typed into the address bar, or opened from a bookmark.
  const isCrossSite = site !== undefined && site !== 'same-origin' && site !== 'none'
  // A link on another site may lead to the sandbox page.
  const isNavigation = request.method === 'GET' && request.headers['sec-fetch-mode'] === 'navigate'
  if (isForeign || (isCrossSite && !isNavigation)) {
    throw new Refusal(403, 'requests from other sites are refused')
  }
}

async function readJson<Shape>(request: IncomingMessage, schema: z.ZodType<Shape>): Promise<Shape> {
  if (!isJson(request.headers['content-type'])) {
    throw new Refusal(415, 'Content-Type must be application/json')
  }
  const body = await readBody(request, MAX_BODY_BYTES)
  if (body.status === 'too-large') {
    // Discards the rest, so that the client can finish sending and read the response.
    request.resume()
    throw new Refusal(413, 'the body is too large')
  }
  if (body.status === 'aborted') throw new Refusal(400, 'the body is incomplete')
  let value: unknown
  try {
    value = JSON.parse(body.bytes.toString())
  } catch {
    throw new Refusal(400, 'the body is not valid JSON')
  }
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw new Refusal(400, describeProblems(result.error, 'body'))
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  response.end(text)
}
