import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { Agent, request } from 'undici'
import type { Clock } from '../../lib/clock.js'
import { OUTCOMES, type OutcomeEvent } from '../../lib/impression.js'
import { closient } from '../../lib/networks/closient.js'
import { ens } from '../../lib/networks/ens.js'
import type { Sandbox } from '../../lib/sandbox/sandbox.js'
import { assembleTracker } from '../../lib/tracker.js'

export const NETWORKS = ['ens', 'closient'] as const
export type NetworkName = (typeof NETWORKS)[number]

const SILENT = { debug: () => {}, warn: () => {}, error: () => {} }

const LETTERS = '23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** A campaign id of Closient's for a number: another one for another number. */
function shortuuidOf(value: number): string {
  let left = value
  let text = ''
  while (text.length < 22) {
    text = LETTERS.charAt(left % LETTERS.length) + text
    left = Math.floor(left / LETTERS.length)
  }
  return text
}

/** Goes on from publisher to publisher: a network may read late what one that is gone has sent. */
let campaigns = 0

/** A site whose pages show ads of both networks, each of another campaign, so that all can be told apart. */
export async function openPublisher(sandbox: Sandbox, clock: Clock, random: () => number) {
  const outcomes: OutcomeEvent[] = []
  const tracker = assembleTracker(
    {
      networks: [
        ens({ apiKey: sandbox.ens.apiKey, baseUrl: sandbox.ens.baseUrl }),
        closient({ apiKey: sandbox.closient.apiKey, baseUrl: sandbox.closient.baseUrl }),
      ],
      delivery: { timeoutMs: 60_000 },
      traffic: { bots: 'count' },
      logger: SILENT,
    },
    { clock, random },
  )
  const { methods } = tracker
  methods.on('outcome', (event) => {
    outcomes.push(event)
    checkBalance()
  })

  function checkBalance(): void {
    for (const stats of Object.values(methods.stats())) {
      const ended = OUTCOMES.reduce((sum, outcome) => sum + stats[outcome], 0)
      assert.equal(stats.tracked, stats.held + stats.pending + ended, 'the books balance')
      assert(stats.pending >= 0 && stats.held >= 0)
    }
  }

  const shown = new Set<unknown>()
  const server = createServer((req, res) => {
    const trackImpression = tracker.pageLoad(req, res, req)
    for (let n = 0; n < 3; n += 1) {
      campaigns += 1
      shown.add(campaigns).add(shortuuidOf(campaigns))
      trackImpression({ campaignId: campaigns, placement: 'header' })
      trackImpression({ campaignId: shortuuidOf(campaigns) })
      checkBalance()
    }
    res.end('a page')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  const viewers = new Agent({ connections: 8 })

  return {
    methods,
    outcomes,
    shown,
    checkBalance,
    /** So many page views at once. */
    async view(pages: number): Promise<void> {
      const views = Array.from({ length: pages }, async () => {
        const { body } = await request(url, { dispatcher: viewers })
        await body.dump()
      })
      await Promise.all(views)
    },
    /** Resolves when nothing is on its way any more. */
    async settled(): Promise<void> {
      const isPending = () => Object.values(methods.stats()).some(({ pending }) => pending > 0)
      do await delay(10)
      while (isPending())
    },
    async close(timeoutMs: number): Promise<void> {
      await viewers.close()
      server.close()
      await once(server, 'close')
      await methods.close({ timeoutMs })
    },
  }
}

export type Publisher = Awaited<ReturnType<typeof openPublisher>>

/** What became of one network's impressions, by the books and by the network's own ledger. */
export function accountOf(publisher: Publisher, sandbox: Sandbox, name: NetworkName) {
  const events = publisher.outcomes.filter(({ network }) => network === name)
  const idsOf = (outcome: string) =>
    new Set<unknown>(
      events.filter((event) => event.outcome === outcome).map((event) => event.campaignId),
    )
  const network = sandbox[name]
  const calls = new Map(network.calls.map((call) => [call.id, call]))
  const own = network.impressions.filter(({ campaignId }) => publisher.shown.has(campaignId))
  const counted = own.map(({ campaignId, call }) => {
    const { status } = calls.get(call) ?? { status: null }
    return {
      campaignId: campaignId as unknown,
      isAnswered: status !== null && status >= 200 && status < 300,
    }
  })
  return {
    stats: publisher.methods.stats()[name],
    events,
    delivered: idsOf('delivered'),
    uncertain: idsOf('uncertain'),
    /** Of the uncertain, those whose answer did not come in time: on a busy machine any may be. */
    late: new Set<unknown>(
      events
        .filter(({ reason }) => reason.startsWith('ETIMEDOUT'))
        .map((event) => event.campaignId),
    ),
    rejected: idsOf('rejected'),
    counted,
  }
}

/** Never twice, nothing lost: what must hold whatever went wrong. */
export function checkAccount(publisher: Publisher, sandbox: Sandbox, name: NetworkName): void {
  const account = accountOf(publisher, sandbox, name)
  const { stats, events, delivered, uncertain, late, counted } = account
  assert(stats)
  publisher.checkBalance()
  assert.equal(stats.held + stats.pending, 0, `${name}: all have an outcome`)
  assert.equal(events.length, stats.tracked, `${name}: one outcome each`)
  const ids = new Set(events.map(({ campaignId }) => campaignId))
  assert.equal(ids.size, events.length, `${name}: one outcome each`)
  assert.equal(stats.dropped, 0, `${name}: nothing is lost`)

  const countedIds = new Set<unknown>(counted.map(({ campaignId }) => campaignId))
  assert.equal(countedIds.size, counted.length, `${name}: nothing is counted twice`)
  // An answer that came too late was not heard.
  const heard = counted.filter(({ campaignId, isAnswered }) => isAnswered && !late.has(campaignId))
  assert.deepEqual(
    delivered,
    new Set(heard.map(({ campaignId }) => campaignId)),
    `${name}: delivered is what its ledger counted with an answer`,
  )
  for (const id of countedIds) {
    assert(delivered.has(id) || uncertain.has(id), `${name}: ${id} was counted`)
  }
}
