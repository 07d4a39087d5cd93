import { once } from 'node:events'
import { type ClientHttp2Stream, connect } from 'node:http2'
import { BROWSER_HEADERS, fetchPage } from '../page-load/fetch-page.js'
import { formatRequest, RawClient } from '../page-load/raw-client.js'
import { waitForClose } from '../page-load/wait-for-close.js'
import type { Framework } from './framework.js'

/** A client for the protocol of a framework. */
export interface ProtocolClient {
  fetchPage(): Promise<{ readonly status: number; readonly text: string }>
  /** Requests a page, waits for the answer and reads none of its body. */
  startPage(): Promise<{ disconnect(): Promise<void> }>
  close(): Promise<void>
}

export function createClient(protocol: Framework['protocol'], port: number): ProtocolClient {
  return protocol === 'http1' ? createHttp1Client(port) : createHttp2Client(port)
}

function createHttp1Client(port: number): ProtocolClient {
  return {
    fetchPage: () => fetchPage(`http://127.0.0.1:${port}/`),
    async startPage() {
      const client = await RawClient.connect(port)
      client.send(formatRequest())
      await client.waitForBytes()
      return client
    },
    close: async () => {},
  }
}

function createHttp2Client(port: number): ProtocolClient {
  const session = connect(`http://127.0.0.1:${port}`)
  session.on('error', () => {})

  function request(): ClientHttp2Stream {
    const stream = session.request({ ':path': '/', ...BROWSER_HEADERS })
    stream.on('error', () => {})
    return stream
  }
  return {
    async fetchPage() {
      const stream = request()
      const [headers] = await once(stream, 'response')
      let text = ''
      for await (const chunk of stream.setEncoding('utf8')) text += chunk
      return { status: headers[':status'], text }
    },
    async startPage() {
      const stream = request()
      await once(stream, 'response')
      return {
        async disconnect() {
          const closed = waitForClose(stream)
          stream.close(8)
          await closed
        },
      }
    },
    async close() {
      if (session.destroyed) return
      const closed = waitForClose(session)
      session.destroy()
      await closed
    },
  }
}
