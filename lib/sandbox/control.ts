import type { IncomingMessage, ServerResponse } from 'node:http'
import { z } from 'zod'
import { readBody } from '../request/read-body.js'
import { parseFault } from './fault.js'
import { isJson } from './json-input.js'
import type { LiveUpdates, SandboxNetworks } from './live-updates.js'
import { PAGE_HEADERS, renderPage } from './render-page.js'

const MAX_BODY_BYTES = 1024 * 1024
const MAX_LISTED = 1000

/** A request that is refused. The response is `{ "error": message }`. */
class Refusal extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

const network = z.enum(['ens', 'closient'])
const FAULT = z.strictObject({ network, fault: z.unknown(), times: z.int().positive().optional() })
const CONNECTIONS = z.strictObject({ network, state: z.enum(['accept', 'refuse', 'close-idle']) })
const SPEND = z.strictObject({ calls: z.int().min(1) })

/**
 * The sandbox page, its events, and the HTTP API that controls the sandbox:
 *
 * - `GET /sandbox/ens`, `GET /sandbox/closient`: totals, faults, latest calls and impressions
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
    switch (route) {
      case 'GET /':
        response.writeHead(200, PAGE_HEADERS).end(renderPage(this.#networks))
        return
      case 'GET /events':
        this.#updates.addPage(response)
        return
      case 'GET /sandbox/ens':
        return sendJson(response, 200, this.#describeNetwork('ens'))
      case 'GET /sandbox/closient':
        return sendJson(response, 200, this.#describeNetwork('closient'))
      default:
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

  #describeNetwork(name: 'ens' | 'closient') {
    const { ledger, faults, refusing, totals } = this.#networks[name]
    return {
      totals,
      refusing,
      faults: faults.map(({ left, ...set }) => ({ ...set, left: replaceInfinity(left) })),
      ...(name === 'closient' && { budget: this.#networks.closient.budget }),
      calls: ledger.calls(MAX_LISTED),
      impressions: ledger.impressions(MAX_LISTED),
    }
  }

  #setFault({ network, fault, times }: z.infer<typeof FAULT>): number {
    try {
      return this.#networks[network].setFault(
        parseFault(fault),
        times === undefined ? {} : { times },
      )
    } catch (error) {
      throw error instanceof TypeError ? new Refusal(400, error.message) : error
    }
  }

  #clearFaults(query: URLSearchParams): void {
    const id = query.get('id')
    const selected = network.nullable().safeParse(query.get('network'))
    if (!selected.success) throw new Refusal(400, 'network: must be ens or closient')
    if (id !== null && selected.data === null) throw new Refusal(400, 'id: requires network')
    for (const name of selected.data === null ? (['ens', 'closient'] as const) : [selected.data]) {
      if (id === null) this.#networks[name].clearFaults()
      else if (!this.#networks[name].clearFault(Number(id))) throw new Refusal(404, 'no such fault')
    }
  }

  async #setConnections({ network, state }: z.infer<typeof CONNECTIONS>): Promise<void> {
    if (state === 'close-idle') {
      await this.#networks[network].closeIdleConnections()
      return
    }
    const resume = this.#resume.get(network)
    if (state === 'accept') {
      this.#resume.delete(network)
      await resume?.()
    } else if (resume === undefined) {
      const refusing = this.#networks[network].refuse()
      this.#resume.set(network, async () => (await refusing)())
      await refusing
    }
  }
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
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  throw new Refusal(400, problems.join('; '))
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  response.end(JSON.stringify(body))
}

/** JSON has no Infinity, so `null` means "until cleared". */
function replaceInfinity(value: number): number | null {
  return Number.isFinite(value) ? value : null
}
