import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../dist/clock.js'
import type { ExchangeRequest, NewRecord } from '../../dist/delivery/outbox/store.js'
import { serializeImpression } from '../../dist/delivery/outbox/stored-impression.js'
import { createImpression } from '../../dist/impression.js'
import { LmdbStore } from '../../dist/lmdb/lmdb-store.js'
import { formatCount, formatRounds, type ReportTable } from '../report.js'
import type { Schedule } from '../schedule.js'

const IMPRESSIONS = 50_000
const BATCH_SIZES = [1, 10, 100]
const STEPS = 100
const ROUNDS = 3
/** For all rounds together. */
const LIMIT_S = 60

type Sync = 'soon' | 'always'
type Change = Partial<ExchangeRequest>

/** Measures what impressions and dedupe keys take in an LMDB outbox, and how fast its steps are. */
export async function measureLmdbSteps(schedule: Schedule): Promise<ReportTable[]> {
  schedule.showProgress('outbox: bytes')
  const count = schedule.scaleCount(IMPRESSIONS)
  const impressionBytes = await measureBytes(count, false)
  const keyBytes = (await measureBytes(count, true)) - impressionBytes
  const rows: string[][] = []
  for (const sync of ['soon', 'always'] as const) {
    for (const size of BATCH_SIZES) rows.push(await measureSpeeds(schedule, sync, size))
  }
  return [
    {
      caption:
        `Bytes in the file of an LMDB outbox, measured with ${formatCount(count)} Closient impressions ` +
        'of which each has a dedupe key. Both are freed for others once the impression has its outcome ' +
        'and the key has expired.',
      columns: ['pending impression', 'remembered dedupe key'],
      rows: [[formatCount(Math.round(impressionBytes)), formatCount(Math.round(keyBytes))]],
    },
    {
      caption:
        'Impressions a second that one process appends, claims and settles in an LMDB outbox, one step ' +
        'after the other.',
      columns: ['`sync`', 'impressions per step', 'append', 'claim', 'settle'],
      rows,
    },
  ]
}

async function measureBytes(count: number, hasKeys: boolean): Promise<number> {
  return withStore('soon', async (exchange, path) => {
    for (let first = 0; first < count; first += 100) {
      await exchange({ append: { number: first, records: createRecords(first, 100, hasKeys) } })
    }
    return statSync(join(path, 'data.mdb')).size / count
  })
}

async function measureSpeeds(schedule: Schedule, sync: Sync, size: number): Promise<string[]> {
  const steps = schedule.scaleCount(STEPS)
  const speeds: number[][] = [[], [], []]
  for (const round of schedule.rounds(ROUNDS, LIMIT_S / 6, 1)) {
    schedule.showProgress(`outbox: sync ${sync}, ${size} per step, round ${round}`)
    const seconds = await withStore(sync, (exchange) => timeSteps(exchange, steps, size))
    if (round < 1) continue
    for (const [index, duration] of seconds.entries()) {
      speeds[index]?.push((steps * size) / duration)
    }
  }
  return [`'${sync}'`, String(size), ...speeds.map((rounds) => formatRounds(rounds))]
}

/** Returns how many seconds it takes to append, to claim and to settle everything. */
async function timeSteps(
  exchange: (change: Change) => Promise<void>,
  steps: number,
  size: number,
): Promise<number[]> {
  const batches = Array.from({ length: steps }, (_, n) => createRecords(n * size, size, true))
  const listIds = (records: readonly NewRecord[]) => records.map(({ id }) => id)
  const changes: ((records: NewRecord[], n: number) => Change)[] = [
    (records, number) => ({ append: { number, records } }),
    (records) => ({ claim: listIds(records) }),
    (records) => ({ settle: listIds(records) }),
  ]
  const durations: number[] = []
  for (const createChange of changes) {
    const startMs = performance.now()
    for (const [n, records] of batches.entries()) await exchange(createChange(records, n))
    durations.push((performance.now() - startMs) / 1_000)
  }
  return durations
}

async function withStore<Result>(
  sync: Sync,
  use: (exchange: (change: Change) => Promise<void>, path: string) => Promise<Result>,
): Promise<Result> {
  const path = mkdtempSync(join(tmpdir(), 'bench-outbox-'))
  const store = new LmdbStore({ path, sync, network: 'closient' })
  let [step, seenUpTo] = [0, 0]
  const exchange = async (change: Change) => {
    step += 1
    const response = await store.exchange({ ...EMPTY_REQUEST, step, seenUpTo, ...change })
    seenUpTo = response.seenUpTo
  }
  try {
    return await use(exchange, path)
  } finally {
    await store.close()
    rmSync(path, { recursive: true })
  }
}

const EMPTY_REQUEST: ExchangeRequest = {
  owner: 'bench',
  step: 0,
  isNew: true,
  leaseMs: 60_000,
  box: 'own',
  isResync: false,
  outageMs: 0,
  seenUpTo: 0,
  settle: [],
  release: [],
  claim: [],
  append: undefined,
  maxPending: Number.MAX_SAFE_INTEGER,
  dedupeTtlMs: 1_800_000,
  calls: 0,
  callsTtlMs: 0,
  pauseMs: undefined,
  probeMs: 20_000,
  figures: {},
  isLeaving: false,
}

function createRecords(first: number, count: number, hasKeys: boolean): NewRecord[] {
  return Array.from({ length: count }, (_, n) => {
    const id = `dGhlIGJlbmNo:${(first + n).toString(36)}`
    const details = {
      campaignId: 'mhvXdrZT4jP5T8vBxuvm75',
      batchKey: 'running shoes',
      item: { campaign_id: 'mhvXdrZT4jP5T8vBxuvm75', search_query: 'running shoes' },
    }
    const impression = createImpression('closient', randomUUID(), details, systemClock.now())
    const payload = serializeImpression(impression, systemClock) ?? ''
    return hasKeys ? { id, payload, dedupeKey: randomUUID() } : { id, payload }
  })
}
