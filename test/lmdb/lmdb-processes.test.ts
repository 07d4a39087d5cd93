// Tests lib/lmdb/lmdb-store.ts over several processes

import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { LmdbStore } from '../../lib/lmdb/lmdb-store.js'
import { machineClock } from '../../lib/lmdb/store-clock.js'
import { listIds, records, StoreOwner } from '../delivery/outbox/store-owner.js'
import { GROUP_SIZE, type ProcessReport, type ProcessTask } from './lmdb-process.js'

const SCRIPT = fileURLToPath(new URL('lmdb-process.ts', import.meta.url))

describe('LMDB store, several processes', () => {
  let path: string
  let children: ChildProcess[]
  const stores: LmdbStore[] = []
  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), 'lmdb-processes-'))
    children = []
  })
  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL')
    for (const store of stores.splice(0)) await store.close()
    rmSync(path, { recursive: true })
  })

  /** @param fileBlocks the size of its largest file, in blocks of 512 or 1,024 bytes */
  function start(role: ProcessTask['role'], name: string, fileBlocks?: number) {
    const node = [process.execPath, '--import', 'tsx', SCRIPT]
    const [command = '', ...rest] =
      fileBlocks === undefined
        ? node
        : ['sh', '-c', `ulimit -S -f ${fileBlocks}; exec "$@"`, '-', ...node]
    const child = spawn(command, rest, {
      env: { PATH: process.env.PATH, TMPDIR: tmpdir() },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    children.push(child)
    const ended = once(child, 'exit').then(([code, signal]) => {
      throw new Error(`the process has ended: ${code ?? signal}`)
    })
    ended.catch(() => {})
    const reports: ProcessReport[] = []
    child.on('message', (message: ProcessReport) => reports.push(message))
    child.send({ path, name, role } satisfies ProcessTask)
    return {
      child,
      reports,
      /** Resolves when the process has sent such a report, after the first `after` ones. */
      async whenReported(isSought: (report: ProcessReport) => boolean, after = 0): Promise<void> {
        while (!reports.slice(after).some(isSought)) {
          await Promise.race([once(child, 'message'), ended])
        }
      },
    }
  }

  function openStore(options: Partial<ConstructorParameters<typeof LmdbStore>[0]> = {}) {
    const store = new LmdbStore({ path, sync: 'soon', network: 'acme', ...options })
    stores.push(store)
    return store
  }

  /** What is in the store once all processes have died: the ids of each place. */
  async function takeOverAll() {
    const later = { ...machineClock, monotonicNow: () => machineClock.monotonicNow() + 3_600_000 }
    const heir = new StoreOwner(openStore({ clock: later }), 'heir')
    const [waiting, claimed]: [string[], string[]] = [[], []]
    for (let isMore = true; isMore; ) {
      const { arrivals, orphans } = await heir.exchange()
      waiting.push(...listIds(arrivals))
      claimed.push(...listIds(orphans))
      isMore = arrivals.length + orphans.length > 0
    }
    const { records: count } = await heir.store.readFleet()
    assert.equal(waiting.length + claimed.length, count)
    return { waiting: listGroups(waiting), claimed: listGroups(claimed) }
  }

  it('does each step completely or not at all, whenever processes are killed', async () => {
    const running = [0, 1, 2].map((n) => start('work', `p${n}`))
    await Promise.all(running.map(({ whenReported }) => whenReported((report) => !!report.settled)))
    for (const { child, reports, whenReported } of running) {
      await whenReported(() => true, reports.length + 5)
      child.kill('SIGKILL')
    }
    await Promise.all(running.map(({ child }) => child.signalCode ?? once(child, 'close')))
    const all = running.flatMap(({ reports }) => reports)
    const errors = all.flatMap(({ error }) => error ?? [])
    assert.deepEqual(errors, [])
    const { waiting, claimed } = await takeOverAll()
    const stored = new Set([...waiting, ...claimed])
    const settled = new Set(all.flatMap((report) => report.settled ?? []))
    for (const group of settled) assert(!stored.has(group), `${group} is stored, but was settled`)
    const appended = all.flatMap((report) => report.appended ?? [])
    // The last step of a process may have been done without a report of it.
    const lost = appended.filter((group) => !stored.has(group) && !settled.has(group))
    assert(lost.length <= running.length, lost.join())
    const unsettled = appended.filter((group) => Number(group.split('-')[1]) % 4 === 0)
    for (const group of unsettled) assert(stored.has(group), `${group} is lost`)
  })

  it('goes on when a process is killed in the middle of a step, which is not done', async () => {
    const { child, reports } = start('die', 'dying')
    assert.deepEqual(await once(child, 'exit'), [null, 'SIGKILL'])
    assert.deepEqual(reports, [{ appended: 'dying-0' }])
    const owner = new StoreOwner(openStore(), 'one')
    assert.deepEqual((await owner.exchange({ append: records('a') })).receipts, ['accepted'])
    assert.deepEqual((await takeOverAll()).waiting, ['a', 'dying-0'])
  })

  it('fails steps, and does not block, while a process is stopped in the middle of one', async () => {
    const stopped = start('stop', 'stopped')
    const owner = new StoreOwner(openStore({ timeoutMs: 150 }), 'one')
    await owner.exchange()
    await stopped.whenReported(({ appended }) => appended === 'stopped-0')
    await waitUntilStopped(stopped.child)
    const step = { append: { number: 1, records: records('a') } }
    await assert.rejects(owner.exchange(step), /another process may have been stopped/)
    await assert.rejects(owner.exchange({ ...step, isResync: true }), /may have been stopped/)
    stopped.child.kill('SIGCONT')
    await stopped.whenReported(({ appended }) => appended === 'stopped-1')
    stopped.child.kill('SIGKILL')
    await once(stopped.child, 'close')
    const { receipts } = await retry(() => owner.exchange({ ...step, isResync: true }))
    assert.deepEqual(receipts, ['accepted'])
    const { waiting } = await takeOverAll()
    assert.equal(waiting.filter((group) => group === 'a').length, 1)
  })

  it('goes on after the disk was full, and has lost nothing', async () => {
    const { child, reports, whenReported } = start('fill', 'filler', 1_000)
    await whenReported(({ error }) => error !== undefined)
    await whenReported(({ error }) => error !== undefined, reports.length)
    execFileSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited:'])
    await whenReported(({ appended }) => appended !== undefined, reports.length)
    child.kill('SIGKILL')
    await once(child, 'close')
    const { waiting } = await takeOverAll()
    const appended = reports.flatMap((report) => report.appended ?? [])
    for (const group of appended) assert(waiting.includes(group), `${group} is lost`)
  })
})

/** Groups of which all records are there. A record with no group is one of its own. */
function listGroups(ids: readonly string[]): string[] {
  const sizes = new Map<string, number>()
  for (const id of ids) {
    const group = id.split('-').slice(0, 2).join('-')
    sizes.set(group, (sizes.get(group) ?? 0) + 1)
  }
  for (const [group, size] of sizes) {
    if (group.includes('-')) assert.equal(size, GROUP_SIZE, `${group} is in two places`)
  }
  return [...sizes.keys()].sort()
}

async function waitUntilStopped({ pid }: ChildProcess): Promise<void> {
  const isStopped = () => /^T/.test(String(execFileSync('ps', ['-o', 'stat=', '-p', String(pid)])))
  while (!isStopped()) await setTimeout(10)
}

async function retry<Result>(operation: () => Promise<Result>): Promise<Result> {
  try {
    return await operation()
  } catch {
    return retry(operation)
  }
}
