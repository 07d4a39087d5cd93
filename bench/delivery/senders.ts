import { closient, createTracker, ens, type ImpressionInput, type Tracker } from 'ad-impressions'
import { type Dispatcher, Pool } from 'undici'
import { createExchange, finishResponse } from '../call/exchange.js'
import { createClosientInput, createEnsInput } from '../contestants/impression-inputs.js'

export interface Sender {
  /** Tracks the impressions to send. Not part of the measured time. */
  prepare?(impressions: number): void
  /** Resolves when all were answered. */
  send(impressions: number): Promise<unknown>
  /** How many have been delivered so far. Only ad-impressions counts them. */
  countDelivered?(): number
}

const apiKey = 'bench-key'
const PATH = '/api/v1/campaigns/impression'
const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
const IMPRESSIONS_PER_PAGE = 50
const maxPending = 200_000

function createTrackerSender(
  tracker: Tracker,
  createInput: (campaign: number) => ImpressionInput,
): Sender {
  const inputs = Array.from({ length: IMPRESSIONS_PER_PAGE }, (_, index) => createInput(index + 1))
  return {
    prepare(impressions) {
      for (let left = impressions; left > 0; left -= IMPRESSIONS_PER_PAGE) {
        const exchange = createExchange()
        const trackImpression = tracker.pageLoad(exchange.req, exchange.res)
        for (const input of inputs.slice(0, left)) trackImpression(input)
        finishResponse(exchange)
      }
    },
    send: () => tracker.flush(),
    countDelivered: () =>
      Object.values(tracker.stats()).reduce((sum, { delivered }) => sum + delivered, 0),
  }
}

function createEnsSender(baseUrl: string, connections: number): Sender {
  const networks = [ens({ apiKey, baseUrl, connections })]
  return createTrackerSender(createTracker({ networks, delivery: { maxPending } }), createEnsInput)
}

function createClosientSender(baseUrl: string, maxBatch: number): Sender {
  const networks = [closient({ apiKey, baseUrl, maxBatch })]
  const tracker = createTracker({ networks, delivery: { maxPending } })
  return createTrackerSender(tracker, createClosientInput)
}

function createEnsBody(impression: number): string {
  return JSON.stringify(createEnsInput((impression % 50) + 1))
}

/** Keeps as many calls in flight as there are connections. */
async function runLoops(
  impressions: number,
  connections: number,
  post: (impression: number) => Promise<void>,
): Promise<void> {
  let started = 0
  async function loop(): Promise<void> {
    while (started < impressions) {
      started += 1
      await post(started)
    }
  }
  await Promise.all(Array.from({ length: connections }, loop))
}

function createPool(url: string, connections: number): Pool {
  return new Pool(url, { connections, pipelining: 1 })
}

/** The simplest loop: one handler for all calls, and no promise for each. */
function createDispatchLoop(url: string, connections: number): Sender {
  const pool = createPool(url, connections)
  return {
    send: (impressions) =>
      new Promise<void>((resolve, reject) => {
        let started = 0
        let ended = 0
        const handler: Dispatcher.DispatchHandler = {
          onRequestStart() {},
          onResponseStart() {},
          onResponseData() {},
          onResponseEnd() {
            ended += 1
            if (ended === impressions) resolve()
            else startNext()
          },
          onResponseError: (_controller, error) => reject(error),
        }
        function startNext(): void {
          if (started === impressions) return
          started += 1
          const body = createEnsBody(started)
          pool.dispatch({ method: 'POST', path: PATH, headers, body }, handler)
        }
        for (let connection = 0; connection < connections; connection += 1) startNext()
      }),
  }
}

function createRequestLoop(url: string, connections: number): Sender {
  const pool = createPool(url, connections)
  return {
    send: (impressions) =>
      runLoops(impressions, connections, async (impression) => {
        const { body } = await pool.request({
          method: 'POST',
          path: PATH,
          headers,
          body: createEnsBody(impression),
        })
        await body.dump()
      }),
  }
}

function createFetchLoop(url: string, connections: number): Sender {
  return {
    send: (impressions) =>
      runLoops(impressions, connections, async (impression) => {
        const body = createEnsBody(impression)
        const response = await fetch(`${url}${PATH}`, { method: 'POST', headers, body })
        await response.arrayBuffer()
      }),
  }
}

/** The number in a Closient sender's name is its largest batch. It always has eight connections. */
export const SENDERS = {
  ens: createEnsSender,
  dispatch: createDispatchLoop,
  request: createRequestLoop,
  fetch: createFetchLoop,
  closient1: (url: string) => createClosientSender(url, 1),
  closient10: (url: string) => createClosientSender(url, 10),
  closient100: (url: string) => createClosientSender(url, 100),
  closient1000: (url: string) => createClosientSender(url, 1_000),
}

export type SenderName = keyof typeof SENDERS
