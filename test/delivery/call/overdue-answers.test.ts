import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createServer as createTlsServer } from 'node:tls'
import { createDeferred } from '../../page-load/deferred.js'
import { startCaller, waitForEnds } from './call-from-process.js'
import type { CallerReport, Pause } from './caller-process.js'
import { type Certificates, createCertificates } from './certificates.js'
import { formatResponse, startRawServer } from './raw-server.js'
import { summarizeEnd, waitForLoopback } from './send-call.js'

const LONG = JSON.stringify({ status: 'error', details: 'x'.repeat(200_000) })

/** How the network answers each call, by campaign id. The last two get no answer. */
const ANSWERS: Readonly<Record<number, (socket: Socket) => unknown>> = {
  1: (socket) => socket.write(formatResponse()),
  2: (socket) => socket.write(formatResponse(LONG)),
  async 3(socket) {
    const answer = formatResponse()
    socket.setNoDelay(true)
    for (const part of [answer.slice(0, 12), answer.slice(12, -5), answer.slice(-5)]) {
      socket.write(part)
      await waitForLoopback()
    }
  },
  4: (socket) => socket.end(formatResponse().replace('content-length: 20\r\n', '')),
  5: () => {},
}
const CALLS = 6
const CONNECTIONS = 5
const EXPECTED = [[200], [200], [200], [200], ['ETIMEDOUT', true], ['ETIMEDOUT', false]]

/** Time to stop the process before its deadlines, however busy the machine is. */
const STOPPED: Pause = { due: 'deadlines', dueMs: 1_000, isBusy: false }
const BUSY: Pause = { due: 'deadlines', dueMs: 50, isBusy: true }

describe('an answer that has arrived before the timeout', () => {
  let certificates: Certificates
  let child: ChildProcess

  before(function () {
    this.timeout(60_000)
    certificates = createCertificates()
  })
  after(() => certificates[Symbol.dispose]())
  afterEach(() => child.kill('SIGKILL'))

  /**
   * Calls a network from a process that pauses once it waits for the answers, and returns how the
   * calls ended. The network answers during the pause, and the pause lasts until `pause.due` is due.
   */
  async function call(scheme: 'http' | 'https', pause: Pause): Promise<CallerReport['ends']> {
    const sockets = new Map<number, Socket>()
    const { promise: isWaiting, resolve } = createDeferred()
    const server = scheme === 'https' ? createTlsServer(certificates.server) : undefined
    await using network = await startRawServer(({ socket, received }) => {
      const id = /"campaignId":(\d)/.exec(received)?.[1]
      if (id) sockets.set(Number(id), socket)
      if (sockets.size === CONNECTIONS) resolve()
    }, server)
    const baseUrl = network.baseUrl.replace('http:', `${scheme}:`)
    const task = { baseUrl, calls: CALLS, connections: CONNECTIONS, pause }
    child = startCaller(task, { NODE_EXTRA_CA_CERTS: certificates.caFile })
    await isWaiting
    child.send('begin')
    await once(child, 'message')
    const ends = waitForEnds(child)
    if (!pause.isBusy) child.kill('SIGSTOP')
    await Promise.all(Array.from(sockets, ([id, socket]) => ANSWERS[id]?.(socket)))
    await sleep(pause.dueMs + 50)
    if (pause.isBusy) child.stdin?.end('\n')
    else child.kill('SIGCONT')
    return await ends
  }

  for (const scheme of ['http', 'https'] as const) {
    for (const [title, pause] of [
      ['after the process was stopped', STOPPED],
      ['after the process was busy', BUSY],
    ] as const) {
      it(`counts ${title} (${scheme})`, async () => {
        const ends = await call(scheme, pause)
        assert.deepEqual(ends.map(summarizeEnd), EXPECTED)
        const [, long] = ends
        assert(long && 'answer' in long)
        assert.equal(long.answer.body, LONG, 'a long answer is not read completely')
      })
    }

    it(`counts if the transport is destroyed after the process was busy (${scheme})`, async () => {
      const ends = await call(scheme, { ...BUSY, due: 'destroy' })
      const [first, , third, fourth, fifth, sixth] = ends.map(summarizeEnd)
      assert.deepEqual([first, third, fourth], [[200], [200], [200]])
      assert.deepEqual([fifth?.[1], sixth], [true, ['UND_ERR_DESTROYED', false]])
    })
  }
})
