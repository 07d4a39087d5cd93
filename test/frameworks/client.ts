import { once } from 'node:events'
import { type ClientHttp2Stream, connect } from 'node:http2'
import { BROWSER, view } from '../page-load/browser.js'
import { closing } from '../page-load/gate.js'
import { RawClient, requestText } from '../page-load/raw-client.js'
import type { Framework } from './framework.js'

/** A browser that speaks a framework's protocol. */
export interface Client {
  view(): Promise<{ readonly status: number; readonly text: string }>
  /** Begins to load a page, and reads none of its body. */
  begin(): Promise<{ leave(): Promise<void> }>
  close(): Promise<void>
}

export function clientOf(protocol: Framework['protocol'], port: number): Client {
  return protocol === 'http1' ? http1Client(port) : http2Client(port)
}

function http1Client(port: number): Client {
  return {
    view: () => view(`http://127.0.0.1:${port}/`),
    async begin() {
      const client = await RawClient.connect(port)
      client.send(requestText())
      await client.waitForBytes()
      return client
    },
    close: async () => {},
  }
}

function http2Client(port: number): Client {
  const session = connect(`http://127.0.0.1:${port}`)
  session.on('error', () => {})

  function request(): ClientHttp2Stream {
    const stream = session.request({ ':path': '/', ...BROWSER })
    stream.on('error', () => {})
    return stream
  }
  return {
    async view() {
      const stream = request()
      const [headers] = await once(stream, 'response')
      let text = ''
      for await (const chunk of stream.setEncoding('utf8')) text += chunk
      return { status: headers[':status'], text }
    },
    async begin() {
      const stream = request()
      await once(stream, 'response')
      return {
        async leave() {
          const closed = closing(stream)
          stream.close(8)
          await closed
        },
      }
    },
    async close() {
      if (session.destroyed) return
      const closed = closing(session)
      session.destroy()
      await closed
    },
  }
}
