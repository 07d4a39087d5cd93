import assert from 'node:assert/strict'
import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { likelyProcesses } from '../../../lib/delivery/rate-limit/likely-processes.js'

const WORKER = fileURLToPath(new URL('cluster-worker.ts', import.meta.url))

describe('the number of processes that a worker assumes', () => {
  const workers: Worker[] = []
  before(() => {
    cluster.setupPrimary({ exec: WORKER, execArgv: ['--import', 'tsx'] })
  })
  afterEach(() => {
    for (const worker of workers.splice(0)) worker.process.kill('SIGKILL')
  })

  async function ask(environment: Readonly<Record<string, string>> = {}): Promise<unknown> {
    const worker = cluster.fork(environment)
    workers.push(worker)
    const [processes] = await once(worker, 'message')
    return processes
  }

  it('is one per CPU in a cluster, up to eight, in each worker', async () => {
    const expected = Math.min(availableParallelism(), 8)
    assert.deepEqual(await Promise.all([ask(), ask()]), [expected, expected])
  })

  it('is the number that PM2 was told to start', async () => {
    assert.equal(await ask({ pm_id: '3', instances: '20' }), 20)
  })

  it('is that of the option, if it is given', async () => {
    assert.equal(await ask({ pm_id: '3', instances: '20', GIVEN_PROCESSES: '2' }), 2)
  })

  it('is 1 in a process of its own', () => {
    assert.equal(likelyProcesses({}), 1)
  })

  it('is not read from a variable that PM2 did not set, or that is no number', () => {
    for (const instances of ['max', '0', '-1', '1.5', '', 'Infinity']) {
      assert.equal(likelyProcesses({ pm_id: '0', instances }), 1)
    }
    assert.equal(likelyProcesses({ pm_id: '0' }), 1)
    assert.equal(likelyProcesses({ instances: '4' }), 1)
  })
})
