import type { IncomingMessage, ServerResponse } from 'node:http'
import { z } from 'zod'
import { readBody } from '../request/read-body.js'
import { parseFault } from './fault.js'
import type { Live, Networks } from './live.js'
import { pageHeaders, pageHtml } from './page.js'
import { isJson } from './rules.js'

const MAX_BODY_BYTES = 1024 * 1024
const MAX_LISTED = 1000

/** Answered as JSON, `{ "error": message }`. */
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
 * The page, its events, and the control of the sandbox over HTTP:
 *
 * - `GET /sandbox/ens`, `GET /sandbox/closient`: totals, faults, and the latest calls and impressions
 * - `POST /sandbox/faults` `{ network, fault, times? }`: sets a fault, answers its `id`
 * - `DELETE /sandbox/faults?network=…&id=…`: clears that one; without `id` the network's; without
 *   either, all
 * - `POST /sandbox/connections` `{ network, state: 'accept' | 'refuse' | 'close-idle' }`
 * - `POST /sandbox/spend` `{ calls }`: spends Closient's budget
 * - `POST /sandbox/reset`: forgets everything
 *
 * Wrong input is a 400 that says what is wrong. Any page in the user's browser can send requests to
 * a loopback port, so a foreign `Host` (DNS rebinding), a foreign `Origin` and a body that is not
 * declared as JSON (which no page can send across sites unasked) are refused.
 */
export class Control {
  readonly #networks: Networks
  readonly #live: Live
  readonly #reset: () => void
  readonly #resume = new Map<string, () => Promise<void>>()

  constructor(networks: Networks, live: Live, reset: () => void) {
    this.#networks = networks
    this.#live = live
    this.#reset = reset
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      guard(request)
      await this.#route(request, response)
    } catch (error) {
      if (response.headersSent || response.destroyed) return
      const status = error instanceof Refusal ? error.status : 500
      const message = error instanceof Refusal ? error.message : 'internal error'
      json(response, status, { error: message })
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://sandbox')
    const route = `${request.method} ${pathname}`
    switch (route) {
      case 'GET /':
        response.writeHead(200, pageHeaders).end(pageHtml(this.#networks))
        return
      case 'GET /events':
        this.#live.watch(response)
        return
      case 'GET /sandbox/ens':
        return json(response, 200, this.#describe('ens'))
      case 'GET /sandbox/closient':
        return json(response, 200, this.#describe('closient'))
      case 'POST /sandbox/faults':
        json(response, 201, { id: this.#setFault(await read(request, FAULT)) })
        break
      case 'DELETE /sandbox/faults':
        this.#clearFaults(searchParams)
        response.writeHead(204).end()
        break
      case 'POST /sandbox/connections':
        await this.#setConnections(await read(request, CONNECTIONS))
        response.writeHead(204).end()
        break
      case 'POST /sandbox/spend': {
        const { calls } = await read(request, SPEND)
        json(response, 200, { spent: this.#networks.closient.spend(calls) })
        break
      }
      case 'POST /sandbox/reset':
        this.#reset()
        response.writeHead(204).end()
        break
      default:
        throw new Refusal(404, `no ${route} here; the networks listen on ports of their own`)
    }
    this.#live.show()
  }

  #describe(name: 'ens' | 'closient') {
    const { ledger, faults, refusing, totals } = this.#networks[name]
    return {
      totals,
      refusing,
      faults: faults.map(({ left, ...set }) => ({ ...set, left: finite(left) })),
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
    const named = network.nullable().safeParse(query.get('network'))
    if (!named.success) throw new Refusal(400, 'network: ens or closient')
    if (id !== null && named.data === null) throw new Refusal(400, 'id: of which network?')
    for (const name of named.data === null ? (['ens', 'closient'] as const) : [named.data]) {
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

function guard(request: IncomingMessage): void {
  const { host, origin } = request.headers
  const { localPort } = request.socket
  const port = localPort === 80 ? '' : `:${localPort}`
  if (host !== `127.0.0.1${port}` && host !== `localhost${port}`) {
    throw new Refusal(403, 'this Host is not the sandbox')
  }
  const foreign = origin !== undefined && origin !== `http://${host}`
  const site = request.headers['sec-fetch-site']
  // Typed into the address bar or followed from a bookmark: `none`. A link elsewhere may lead here.
  const crossed = site !== undefined && site !== 'same-origin' && site !== 'none'
  const harmless = request.method === 'GET' && request.headers['sec-fetch-mode'] === 'navigate'
  if (foreign || (crossed && !harmless)) throw new Refusal(403, 'another site may not do this')
}

async function read<Shape>(request: IncomingMessage, schema: z.ZodType<Shape>): Promise<Shape> {
  if (!isJson(request.headers['content-type'])) {
    throw new Refusal(415, 'Content-Type must be application/json')
  }
  const body = await readBody(request, MAX_BODY_BYTES)
  if (body.status === 'too-large') {
    // Discards the rest, so that the client can finish sending and read the answer.
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
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  throw new Refusal(400, problems.join('; '))
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  response.end(JSON.stringify(body))
}

/** JSON has no Infinity: `null` stands for "until cleared". */
function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null
}
