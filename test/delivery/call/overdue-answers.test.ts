import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createServer as createTlsServer } from 'node:tls'
import { startCaller } from './call-from-process.js'
import type { CallerReport, CallerTask } from './caller-process.js'
import { type Certificates, createCertificates } from './certificates.js'
import { formatResponse, startRawServer } from './raw-server.js'
import { summarizeEnd, waitForLoopback } from './send-call.js'

const TIMEOUT_MS = 2_000
const OVERDUE_MS = TIMEOUT_MS + 500

const LONG = JSON.stringify({ status: 'error', details: 'x'.repeat(200_000) })

/** How the network answers each call, by campaign id. The last two get no answer. */
const ANSWERS: Readonly<Record<number, (socket: Socket) => void>> = {
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
   * Calls a network from a process that `pause` blocks until the calls are overdue, and returns how
   * they ended. The network answers at the beginning of the pause.
   */
  async function call(
    scheme: 'http' | 'https',
    pause: () => void,
    task: Partial<CallerTask> = {},
  ): Promise<CallerReport['ends']> {
    const sockets: (Socket | undefined)[] = []
    const server = scheme === 'https' ? createTlsServer(certificates.server) : undefined
    await using network = await startRawServer(({ socket, received }) => {
      const id = /"campaignId":(\d)/.exec(received)?.[1]
      if (id) sockets[Number(id)] = socket
      if (sockets.filter(Boolean).length < CONNECTIONS) return
      pause()
      for (const [n, answer] of Object.entries(ANSWERS)) {
        const waiting = sockets[Number(n)]
        if (waiting) answer(waiting)
      }
    }, server)
    const baseUrl = network.baseUrl.replace('http:', `${scheme}:`)
    const limits = { calls: CALLS, connections: CONNECTIONS, timeoutMs: TIMEOUT_MS }
    const environment = { NODE_EXTRA_CA_CERTS: certificates.caFile }
    const caller = startCaller({ baseUrl, ...limits, ...task }, environment)
    child = caller.child
    return await caller.ends
  }

  for (const scheme of ['http', 'https'] as const) {
    for (const [title, pause, task] of [
      [
        'after the process was stopped',
        async () => {
          child.kill('SIGSTOP')
          await sleep(OVERDUE_MS)
          child.kill('SIGCONT')
        },
        {},
      ],
      ['after the process was busy', () => child.send('begin'), { busyMs: OVERDUE_MS }],
    ] as const) {
      it(`counts ${title} (${scheme})`, async () => {
        const ends = await call(scheme, pause, task)
        assert.deepEqual(ends.map(summarizeEnd), EXPECTED)
        const [, long] = ends
        assert(long && 'answer' in long)
        assert.equal(long.answer.body, LONG, 'a long answer is not read completely')
      })
    }

    it(`counts if the transport is destroyed after the process was busy (${scheme})`, async () => {
      const ends = await call(scheme, () => child.send('begin'), {
        timeoutMs: 60_000,
        busyMs: 500,
        destroys: true,
      })
      const [first, , third, fourth, fifth, sixth] = ends.map(summarizeEnd)
      assert.deepEqual([first, third, fourth], [[200], [200], [200]])
      assert.deepEqual([fifth?.[1], sixth], [true, ['UND_ERR_DESTROYED', false]])
    })
  }
})
