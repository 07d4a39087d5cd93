/** The process whose memory is measured: `keeper.js`, with `--expose-gc`. */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { closient, createTracker, ens, type Tracker, type TrackerOptions } from 'ad-impressions'
import { exchange, finish } from '../call/exchange.js'
import { answerParent } from '../child.js'
import { closientInputOf, ensInputOf } from '../contestants/ads.js'
import { liveBytes } from './heap.js'

export type Kind = 'ens' | 'closient'

const IMPRESSIONS_A_PAGE = 3
/** Different campaigns that the pages show. */
const CAMPAIGNS = 1_000
/** Long enough for the gate to have closed. */
const SETTLING_MS = 500

const apiKey = 'csb_bench'
/** Where nothing listens: what is tracked stays pending. */
const baseUrl = 'http://127.0.0.1:9'

function trackerFor(kind: Kind, options: TrackerOptions): Tracker {
  const network = kind === 'ens' ? ens({ apiKey, baseUrl }) : closient({ apiKey, baseUrl })
  const quiet = () => {}
  const logger = { debug: quiet, warn: quiet, error: quiet }
  return createTracker({ networks: [network], logger, ...options })
}

/** What is tracked is dropped at once: of it nothing but the page load's memory stays. */
const dropAll: NonNullable<TrackerOptions['outbox']> = () => ({
  waiting: 0,
  hasFullBatch: false,
  nextTrackedAtMs: undefined,
  append: () => 'overflow',
  claim: () => undefined,
  settle() {},
  release() {},
  expire: () => [],
  recover: () => [],
})

function displayPage(tracker: Tracker, kind: Kind, page: number): void {
  const inputOf = kind === 'ens' ? ensInputOf : closientInputOf
  const shown = exchange()
  const trackImpression = tracker.pageLoad(shown.req, shown.res)
  for (let place = 0; place < IMPRESSIONS_A_PAGE; place += 1) {
    trackImpression(inputOf(1 + ((page * IMPRESSIONS_A_PAGE + place) % CAMPAIGNS)))
  }
  finish(shown)
}

/** Turns in between, in which what was left behind can be forgotten. */
async function displayPages(tracker: Tracker, kind: Kind, pages: number): Promise<void> {
  for (let page = 0; page < pages; page += 1) {
    displayPage(tracker, kind, page)
    if (page % 1_000 === 999) await sleep(0)
  }
}

/** Node makes a UUID of many small pieces, which V8 joins, and frees, once it is a key. */
function flat(id: string): string {
  return Buffer.from(id).toString('latin1')
}

const answers = {
  /** Bytes a page load beyond its id, which the request bears anyway. */
  async remembered({ kind, pages }: { kind: Kind; pages: number }): Promise<number> {
    const ids = Array.from({ length: pages + 1_000 }, () => flat(randomUUID()))
    let next = 0
    const options: TrackerOptions = {
      outbox: dropAll,
      requestId() {
        next += 1
        return ids[next - 1]
      },
    }
    await displayPages(trackerFor(kind, options), kind, 1_000)
    const before = liveBytes()
    const tracker = trackerFor(kind, options)
    await displayPages(tracker, kind, pages)
    const bytes = (liveBytes() - before) / pages
    await tracker.close({ timeoutMs: 0 })
    return bytes
  },
  /** Bytes a page load of which no later request can bear the id. */
  async forgotten({ kind, pages }: { kind: Kind; pages: number }): Promise<number> {
    const tracker = trackerFor(kind, { outbox: dropAll })
    await displayPages(tracker, kind, 1_000)
    const before = liveBytes()
    await displayPages(tracker, kind, pages)
    const bytes = (liveBytes() - before) / pages
    await tracker.close({ timeoutMs: 0 })
    return bytes
  },
  /** Bytes a pending impression. */
  async pending({ kind, impressions }: { kind: Kind; impressions: number }): Promise<number> {
    const warmUp = trackerFor(kind, {})
    await displayPages(warmUp, kind, 1_000)
    await warmUp.close({ timeoutMs: 0 })
    const before = liveBytes()
    const tracker = trackerFor(kind, {})
    await displayPages(tracker, kind, Math.floor(impressions / IMPRESSIONS_A_PAGE))
    await sleep(SETTLING_MS)
    const after = liveBytes()
    const pending = tracker.stats()[kind]?.pending ?? 0
    await tracker.close({ timeoutMs: 0 })
    return (after - before) / pending
  },
}

export type KeeperAnswers = typeof answers

answerParent(answers)
