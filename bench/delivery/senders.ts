import { closient, createTracker, ens, type ImpressionInput, type Tracker } from 'ad-impressions'
import { type Dispatcher, Pool } from 'undici'
import { exchange, finish } from '../call/exchange.js'
import { closientInputOf, ensInputOf } from '../contestants/ads.js'

/** Sends a number of impressions, and resolves when all were answered. */
export interface Sender {
  /** Before the time is taken: what has been tracked waits to be sent. */
  fill?(impressions: number): void
  send(impressions: number): Promise<unknown>
}

const apiKey = 'csb_bench'
const PATH = '/api/v1/campaigns/impression'
const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
const IMPRESSIONS_A_PAGE = 50
const maxPending = 200_000

function own(tracker: Tracker, inputOf: (campaign: number) => ImpressionInput): Sender {
  const inputs = Array.from({ length: IMPRESSIONS_A_PAGE }, (_, index) => inputOf(index + 1))
  return {
    fill(impressions) {
      for (let left = impressions; left > 0; left -= IMPRESSIONS_A_PAGE) {
        const page = exchange()
        const trackImpression = tracker.pageLoad(page.req, page.res)
        for (const input of inputs.slice(0, left)) trackImpression(input)
        finish(page)
      }
    },
    send: () => tracker.flush(),
  }
}

function ownEns(baseUrl: string, connections: number): Sender {
  const networks = [ens({ apiKey, baseUrl, connections })]
  return own(createTracker({ networks, delivery: { maxPending } }), ensInputOf)
}

function ownClosient(baseUrl: string, maxBatch: number): Sender {
  const networks = [closient({ apiKey, baseUrl, maxBatch })]
  return own(createTracker({ networks, delivery: { maxPending } }), closientInputOf)
}

const bodyOf = (impression: number) => JSON.stringify(ensInputOf((impression % 50) + 1))

/** As many calls under way as there are connections, each followed by the next. */
async function loops(
  impressions: number,
  connections: number,
  call: (impression: number) => Promise<void>,
) {
  let next = 0
  async function loop(): Promise<void> {
    while (next < impressions) {
      next += 1
      await call(next)
    }
  }
  await Promise.all(Array.from({ length: connections }, loop))
}

function poolOf(url: string, connections: number): Pool {
  return new Pool(url, { connections, pipelining: 1 })
}

/** The plainest: a bare handler, no promise. */
function dispatchLoop(url: string, connections: number): Sender {
  const pool = poolOf(url, connections)
  return {
    send: (impressions) =>
      new Promise<void>((resolve, reject) => {
        let begun = 0
        let ended = 0
        const handler: Dispatcher.DispatchHandler = {
          onRequestStart() {},
          onResponseStart() {},
          onResponseData() {},
          onResponseEnd() {
            ended += 1
            if (ended === impressions) resolve()
            else next()
          },
          onResponseError: (_controller, error) => reject(error),
        }
        function next(): void {
          if (begun === impressions) return
          begun += 1
          pool.dispatch({ method: 'POST', path: PATH, headers, body: bodyOf(begun) }, handler)
        }
        for (let connection = 0; connection < connections; connection += 1) next()
      }),
  }
}

function requestLoop(url: string, connections: number): Sender {
  const pool = poolOf(url, connections)
  return {
    send: (impressions) =>
      loops(impressions, connections, async (impression) => {
        const { body } = await pool.request({
          method: 'POST',
          path: PATH,
          headers,
          body: bodyOf(impression),
        })
        await body.dump()
      }),
  }
}

function fetchLoop(url: string, connections: number): Sender {
  return {
    send: (impressions) =>
      loops(impressions, connections, async (impression) => {
        const body = bodyOf(impression)
        const response = await fetch(`${url}${PATH}`, { method: 'POST', headers, body })
        await response.arrayBuffer()
      }),
  }
}

/** By name: how it sends, over so many connections at most; Closient's are eight. */
export const SENDERS = {
  ens: ownEns,
  dispatch: dispatchLoop,
  request: requestLoop,
  fetch: fetchLoop,
  closient1: (url: string) => ownClosient(url, 1),
  closient10: (url: string) => ownClosient(url, 10),
  closient100: (url: string) => ownClosient(url, 100),
  closient1000: (url: string) => ownClosient(url, 1_000),
}

export type SenderName = keyof typeof SENDERS
