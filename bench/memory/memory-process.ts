/** The process whose memory is measured: `memory-process.js`, with `--expose-gc`. */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { closient, createTracker, ens, type Tracker, type TrackerOptions } from 'ad-impressions'
import { copyText } from '../../dist/impression.js'
import { createExchange, finishResponse } from '../call/exchange.js'
import { createClosientInput, createEnsInput } from '../contestants/impression-inputs.js'
import { serveParent } from '../rpc-child.js'
import { measureLiveBytes } from './live-bytes.js'

export type MeasuredNetwork = 'ens' | 'closient'

const IMPRESSIONS_PER_PAGE = 3
/** Distinct campaigns that the pages display. */
const CAMPAIGNS = 1_000
const WARM_UP_PAGES = 1_000
/** Long enough for the circuit breaker to open. */
const SETTLING_MS = 500

const apiKey = 'bench-key'
/** Nothing listens there, so everything stays pending. */
const baseUrl = 'http://127.0.0.1:9'

function createNetworkTracker(network: MeasuredNetwork, options: TrackerOptions): Tracker {
  const networks = [network === 'ens' ? ens({ apiKey, baseUrl }) : closient({ apiKey, baseUrl })]
  const ignore = () => {}
  const logger = { debug: ignore, warn: ignore, error: ignore }
  return createTracker({ networks, logger, ...options })
}

/** Drops every impression at once, so that only what page loads remember stays in memory. */
const createDroppingOutbox: NonNullable<TrackerOptions['outbox']> = () => ({
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

function displayPage(tracker: Tracker, network: MeasuredNetwork, page: number): void {
  const createInput = network === 'ens' ? createEnsInput : createClosientInput
  const exchange = createExchange()
  const trackImpression = tracker.pageLoad(exchange.req, exchange.res)
  for (let slot = 0; slot < IMPRESSIONS_PER_PAGE; slot += 1) {
    trackImpression(createInput(1 + ((page * IMPRESSIONS_PER_PAGE + slot) % CAMPAIGNS)))
  }
  finishResponse(exchange)
}

async function displayPages(
  tracker: Tracker,
  network: MeasuredNetwork,
  pages: number,
): Promise<void> {
  for (let page = 0; page < pages; page += 1) {
    displayPage(tracker, network, page)
    // Lets the tracker release what finished responses no longer need.
    if (page % 1_000 === 999) await sleep(0)
  }
}

/** `randomUUID` concatenates small strings, and V8 flattens them only once the id is used as a key. */
function flattenString(id: string): string {
  return Buffer.from(id).toString('latin1')
}

/** Bytes per copy, as the tracker makes them. */
function measureCopies(texts: readonly string[]): number {
  const copies = new Array<string>(texts.length).fill('')
  const before = measureLiveBytes()
  for (const [index, text] of texts.entries()) copies[index] = copyText(text)
  return (measureLiveBytes() - before) / copies.length
}

interface PageLoadSample {
  readonly network: MeasuredNetwork
  readonly pages: number
}

interface PendingSample {
  readonly network: MeasuredNetwork
  readonly impressions: number
}

const methods = {
  /** Bytes per page load whose id can recur, not counting the copy of the id. */
  async measureRecurringPageLoad({ network, pages }: PageLoadSample): Promise<number> {
    const ids = Array.from({ length: pages + WARM_UP_PAGES }, () => flattenString(randomUUID()))
    const idBytes = measureCopies(ids)
    let nextIndex = 0
    const options: TrackerOptions = {
      outbox: createDroppingOutbox,
      requestId() {
        nextIndex += 1
        return ids[nextIndex - 1]
      },
    }
    await displayPages(createNetworkTracker(network, options), network, WARM_UP_PAGES)
    const before = measureLiveBytes()
    const tracker = createNetworkTracker(network, options)
    await displayPages(tracker, network, pages)
    const bytes = (measureLiveBytes() - before) / pages
    await tracker.close({ timeoutMs: 0 })
    return bytes - idBytes
  },
  /** Bytes per page load whose id cannot recur. */
  async measureUniquePageLoad({ network, pages }: PageLoadSample): Promise<number> {
    const tracker = createNetworkTracker(network, { outbox: createDroppingOutbox })
    await displayPages(tracker, network, WARM_UP_PAGES)
    const before = measureLiveBytes()
    await displayPages(tracker, network, pages)
    const bytes = (measureLiveBytes() - before) / pages
    await tracker.close({ timeoutMs: 0 })
    return bytes
  },
  /** Bytes per pending impression. */
  async measurePending({ network, impressions }: PendingSample): Promise<number> {
    const warmUp = createNetworkTracker(network, {})
    await displayPages(warmUp, network, WARM_UP_PAGES)
    await warmUp.close({ timeoutMs: 0 })
    const before = measureLiveBytes()
    const tracker = createNetworkTracker(network, {})
    await displayPages(tracker, network, Math.floor(impressions / IMPRESSIONS_PER_PAGE))
    await sleep(SETTLING_MS)
    const after = measureLiveBytes()
    const pending = tracker.stats()[network]?.pending ?? 0
    await tracker.close({ timeoutMs: 0 })
    return (after - before) / pending
  },
}

export type MemoryMethods = typeof methods

serveParent(methods)
