import { once } from 'node:events'
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { connect } from 'node:http2'
import type { Framework } from '../frameworks/framework.js'
import { waitForClose } from '../page-load/wait-for-close.js'

export interface Question {
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** Sends one request over a connection of its own, with just these headers. */
export function ask(
  protocol: Framework['protocol'],
  port: number,
  question: Question,
): Promise<Answer> {
  return protocol === 'http1' ? askHttp1(port, question) : askHttp2(port, question)
}

async function askHttp1(port: number, question: Question): Promise<Answer> {
  const { method = 'GET', path = '/', headers = {}, body } = question
  const sent = request({ host: '127.0.0.1', port, method, path, headers, agent: false })
  sent.end(body)
  const [answer]: IncomingMessage[] = await once(sent, 'response')
  let text = ''
  for await (const chunk of answer?.setEncoding('utf8') ?? []) text += chunk
  return { status: answer?.statusCode ?? 0, headers: answer?.headers ?? {}, text }
}

async function askHttp2(port: number, question: Question): Promise<Answer> {
  const { method = 'GET', path = '/', headers: asked = {}, body } = question
  const session = connect(`http://127.0.0.1:${port}`)
  const stream = session.request({ ':method': method, ':path': path, ...asked })
  let headers: IncomingHttpHeaders & { ':status'?: number | undefined } = {}
  let text = ''
  stream.on('response', (head) => {
    headers = head
  })
  stream.setEncoding('utf8').on('data', (chunk) => {
    text += chunk
  })
  const closed = waitForClose(stream)
  stream.end(body)
  await closed
  session.destroy()
  const { ':status': status, ...rest } = headers
  if (status === undefined) throw new Error(`no answer to ${method} ${path}`)
  return { status, headers: rest, text }
}
