import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request,
  type Server,
  type ServerResponse,
} from 'node:http'

/**
 * A proxy as nginx is with `proxy_set_header X-Request-Id $request_id` and `proxy_next_upstream`:
 * it names each request, whatever the client calls it, and sends it again, by the same name, when
 * the server breaks the connection off.
 */
export class RetryingProxy implements AsyncDisposable {
  readonly #server: Server

  private constructor(upstreamPort: number) {
    this.#server = createServer((req, res) => void forward(req, res, upstreamPort))
  }

  static async start(upstreamPort: number): Promise<RetryingProxy> {
    const proxy = new RetryingProxy(upstreamPort)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  /** Sends a client's request through the proxy. @returns the body of the answer */
  get(path: string, headers: OutgoingHttpHeaders): Promise<string> {
    const address = this.#server.address()
    return exchange(typeof address === 'object' ? (address?.port ?? 0) : 0, path, headers)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}

async function forward(req: IncomingMessage, res: ServerResponse, port: number): Promise<void> {
  const headers = { ...req.headers, 'x-request-id': randomUUID() }
  const send = () => exchange(port, req.url ?? '/', headers)
  res.end(await send().catch(send))
}

async function exchange(port: number, path: string, headers: OutgoingHttpHeaders): Promise<string> {
  const sent = request({ host: '127.0.0.1', port, path, headers, agent: false })
  sent.end()
  const [answer]: IncomingMessage[] = await once(sent, 'response')
  let body = ''
  for await (const chunk of answer?.setEncoding('utf8') ?? []) body += chunk
  return body
}
