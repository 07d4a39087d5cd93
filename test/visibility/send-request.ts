import { once } from 'node:events'
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { connect } from 'node:http2'
import type { Framework } from '../frameworks/framework.js'
import { waitForClose } from '../page-load/wait-for-close.js'

export interface TestRequest {
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

export interface TestResponse {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** Sends one request on a connection of its own, with exactly these headers. */
export function sendRequest(
  protocol: Framework['protocol'],
  port: number,
  testRequest: TestRequest,
): Promise<TestResponse> {
  return protocol === 'http1' ? sendHttp1(port, testRequest) : sendHttp2(port, testRequest)
}

async function sendHttp1(port: number, testRequest: TestRequest): Promise<TestResponse> {
  const { method = 'GET', path = '/', headers = {}, body } = testRequest
  const sent = request({ host: '127.0.0.1', port, method, path, headers, agent: false })
  sent.end(body)
  const [response]: IncomingMessage[] = await once(sent, 'response')
  let text = ''
  for await (const chunk of response?.setEncoding('utf8') ?? []) text += chunk
  return { status: response?.statusCode ?? 0, headers: response?.headers ?? {}, text }
}

async function sendHttp2(port: number, testRequest: TestRequest): Promise<TestResponse> {
  const { method = 'GET', path = '/', headers: requestHeaders = {}, body } = testRequest
  const session = connect(`http://127.0.0.1:${port}`)
  const stream = session.request({ ':method': method, ':path': path, ...requestHeaders })
  let responseHeaders: IncomingHttpHeaders & { ':status'?: number | undefined } = {}
  let text = ''
  stream.on('response', (received) => {
    responseHeaders = received
  })
  stream.setEncoding('utf8').on('data', (chunk) => {
    text += chunk
  })
  const closed = waitForClose(stream)
  stream.end(body)
  await closed
  session.destroy()
  const { ':status': status, ...headers } = responseHeaders
  if (status === undefined) throw new Error(`no response to ${method} ${path}`)
  return { status, headers, text }
}
