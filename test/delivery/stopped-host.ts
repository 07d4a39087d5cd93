import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** Counts the requests that it reads, and answers each of them as ENS does. */
const SCRIPT = `
  let requests = 0
  const server = require('node:net').createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      if (!chunk.toString().startsWith('POST')) return
      process.send({ requests: (requests += 1) })
      socket.write('HTTP/1.1 200 OK\\r\\ncontent-length: 20\\r\\n\\r\\n{"status":"success"}')
    })
  })
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    process.send({ port: server.address().port })
  })
  process.on('disconnect', () => process.exit())
`

/**
 * A network in a process of its own that is stopped, with a full queue of connections: attempts to
 * connect are neither refused nor answered, as when a host drops packets.
 */
export class StoppedHost implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #queued: readonly Socket[]
  readonly url: string
  /** Requests that it has read. */
  requests = 0

  private constructor(child: ChildProcess, port: number, queued: readonly Socket[]) {
    this.#child = child
    this.#queued = queued
    this.url = `http://127.0.0.1:${port}`
    child.on('message', (message: { requests: number }) => {
      this.requests = message.requests
    })
  }

  static async start(): Promise<StoppedHost> {
    const child = spawn(process.execPath, ['-e', SCRIPT], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    const [{ port }] = await once(child, 'message')
    child.kill('SIGSTOP')
    const queued = Array.from({ length: 8 }, () => {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => {})
      return socket
    })
    await sleep(200)
    return new StoppedHost(child, port, queued)
  }

  /** Lets the host accept connections again. */
  resume(): void {
    for (const socket of this.#queued) socket.destroy()
    this.#child.kill('SIGCONT')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.resume()
    this.#child.kill('SIGKILL')
    await once(this.#child, 'exit')
  }
}
