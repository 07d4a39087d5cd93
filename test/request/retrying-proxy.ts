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
 * A proxy that behaves like nginx with `proxy_set_header X-Request-Id $request_id` and
 * `proxy_next_upstream`. It gives each request an id, replacing the client's, and retries it with
 * the same id if the server closes the connection.
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

  /** Sends a request through the proxy. Returns the body of the response. */
  get(path: string, headers: OutgoingHttpHeaders): Promise<string> {
    const address = this.#server.address()
    return fetchBody(typeof address === 'object' ? (address?.port ?? 0) : 0, path, headers)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}

async function forward(req: IncomingMessage, res: ServerResponse, port: number): Promise<void> {
  const headers = { ...req.headers, 'x-request-id': randomUUID() }
  const forwardOnce = () => fetchBody(port, req.url ?? '/', headers)
  res.end(await forwardOnce().catch(forwardOnce))
}

async function fetchBody(
  port: number,
  path: string,
  headers: OutgoingHttpHeaders,
): Promise<string> {
  const clientRequest = request({ host: '127.0.0.1', port, path, headers, agent: false })
  clientRequest.end()
  const [response]: IncomingMessage[] = await once(clientRequest, 'response')
  let body = ''
  for await (const chunk of response?.setEncoding('utf8') ?? []) body += chunk
  return body
}
