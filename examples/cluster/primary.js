import cluster from 'node:cluster'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startSandboxUnlessKeys } from '../start-sandbox.js'
import { waitForStopSignal } from '../wait-until-stopped.js'

const WORKERS = 4

const { values } = parseArgs({
  allowPositionals: true,
  options: { outbox: { type: 'string', default: 'lmdb' } },
})
const directory = mkdtempSync(join(tmpdir(), 'ad-impressions-'))
const workerEnv = { OUTBOX: values.outbox, OUTBOX_DIRECTORY: directory }
const stopped = waitForStopSignal()
let isStopping = false
const sandbox = await startSandboxUnlessKeys()

let listening = 0
cluster.on('listening', (_worker, { port }) => {
  listening += 1
  if (listening === WORKERS) console.log(`Listening on http://localhost:${port}`)
})

/** What each process has counted, by process id. Every worker shows the figures of all. */
const statsByProcess = new Map()
cluster.on('message', (worker, stats) => {
  statsByProcess.set(worker.process.pid, stats)
  for (const each of Object.values(cluster.workers)) each.send([...statsByProcess], () => {})
})

cluster.on('exit', ({ process: { pid } }, code, signal) => {
  statsByProcess.delete(pid)
  if (isStopping) return
  console.log(`Process ${pid} ended: ${signal || `status ${code}`}`)
  if (signal) cluster.fork(workerEnv)
  else process.exitCode = 1
})

for (let started = 0; started < WORKERS; started += 1) cluster.fork(workerEnv)

await stopped
isStopping = true
const running = Object.values(cluster.workers).filter((worker) => !worker.isDead())
await Promise.all(
  running.map((worker) => {
    const exited = once(worker, 'exit')
    worker.process.kill('SIGTERM')
    return exited
  }),
)
await sandbox?.close()
rmSync(directory, { recursive: true, force: true })
