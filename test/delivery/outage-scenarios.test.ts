import assert from 'node:assert/strict'
import { createDelivery } from './delivery-fixture.js'
import type { ScriptedCall } from './scripted-transport.js'
import { VirtualClock } from './virtual-clock.js'
import { type Behaviour, randomFrom, VirtualNetwork } from './virtual-network.js'

/** A minute of 100 page views a second with three impressions each. */
const PAGES_PER_SECOND = 100
const SECONDS = 60
const TRACKED = PAGES_PER_SECOND * SECONDS * 3
const ONSET_SECOND = 20

const SHAPES = [
  { name: 'one impression a call', network: { connections: 128 } },
  { name: 'a batch a page', network: { connections: 8, maxBatch: 1_000 } },
  {
    name: 'a batch a page within quotas',
    network: {
      connections: 8,
      maxBatch: 1_000,
      windows: [
        { limit: 300, windowMs: 60_000 },
        { limit: 10_000, windowMs: 86_400_000 },
      ],
    },
  },
]

/** Plays a minute of traffic in which the network misbehaves for so many seconds. */
function play(
  { network: shape }: (typeof SHAPES)[number],
  seed: number,
  seconds: number,
  misbehaviour: (random: number) => Behaviour,
) {
  const clock = new VirtualClock()
  const random = randomFrom(seed)
  const network = new VirtualNetwork(clock, random)
  const { transport } = network
  const createFixture = createDelivery({ network: shape, clock, random, transport })
  const { figures, statistics, outcomes, push, checkBalance } = createFixture
  const onsetMs = clock.now() + ONSET_SECOND * 1_000
  const endMs = onsetMs + seconds * 1_000
  const isUnwell = (atMs: number) => atMs >= onsetMs && atMs < endMs
  network.behave = (chance) => (isUnwell(clock.now()) ? misbehaviour(chance) : 'fine')
  /** When the network is known to be unwell: it answers for a moment what it was sent before. */
  let knownMs = Number.POSITIVE_INFINITY
  statistics.on('outcome', ({ outcome }) => {
    if (outcome === 'uncertain') knownMs = Math.min(knownMs, clock.now())
    else if (isUnwell(clock.now())) knownMs = Number.POSITIVE_INFINITY
  })

  for (let page = 0; page < PAGES_PER_SECOND * SECONDS; page += 1) {
    push(3)
    // A page comes when it comes, a hundred a second on average.
    clock.advance((1_000 / PAGES_PER_SECOND) * 2 * random())
  }
  // A short budget may take its time for the rest.
  clock.advance(2 * 3_600_000)
  checkBalance()
  assert.equal(outcomes.length, TRACKED)
  assert.equal(figures().pending, 0)
  assert.equal(network.twice, 0, 'nothing was counted twice')
  assert.equal(figures().dropped + figures().rejected, 0, 'nothing was lost')
  assert.equal(figures().delivered + figures().uncertain, TRACKED)
  assert(network.ledger.size >= figures().delivered)
  assert(network.ledger.size <= figures().delivered + figures().uncertain)

  const inVain = transport.calls.filter(({ atMs }) => isUnwell(atMs))
  return {
    figures,
    outcomes,
    network,
    transport,
    inVain,
    /** Calls that left before the network was known to be unwell, and after. */
    unsuspecting: inVain.filter(({ atMs }) => atMs < knownMs),
    probes: inVain.filter(({ atMs }) => atMs >= knownMs),
  }
}

const sizeOf = (calls: readonly ScriptedCall[]) =>
  calls.reduce((sum, { items }) => sum + items.length, 0)

for (const shape of SHAPES) {
  const { connections, maxBatch = 1, windows } = shape.network
  const everySeed = (check: (seed: number) => void) => {
    for (const seed of [1, 2]) check(seed)
  }

  describe(`a minute of 300 impressions a second, ${shape.name}`, () => {
    for (const [says, seconds, behaviour] of [
      ['500s for 10 s', 10, 'fails'],
      ['429s with Retry-After: 2 for 10 s', 10, 'throttles'],
      ['refused connections for 15 s', 15, 'refused'],
    ] as const) {
      it(`with ${says}: nothing is lost, counted twice or uncertain`, () => {
        everySeed((seed) => {
          const { figures, inVain } = play(shape, seed, seconds, () => behaviour)
          assert.equal(figures().uncertain, 0)
          assert.equal(figures().delivered, TRACKED)
          // What was under way at the onset, and the probes.
          assert(inVain.length <= 40, `${inVain.length} calls in vain`)
        })
      })
    }

    for (const [says, seconds, behaviour, mostProbes] of [
      ['a hang for 30 s', 30, 'hangs', 5],
      ['502s for 15 s', 15, 'gateway', 20],
    ] as const) {
      it(`with ${says}: a call a connection is uncertain, and one impression a probe`, () => {
        everySeed((seed) => {
          const { figures, unsuspecting, probes } = play(shape, seed, seconds, () => behaviour)
          assert(unsuspecting.length <= connections, `${unsuspecting.length} at the onset`)
          assert(probes.length <= mostProbes, `${probes.length} probes`)
          assert.equal(sizeOf(probes), probes.length, 'one impression a probe')
          assert.equal(figures().uncertain, sizeOf(unsuspecting) + probes.length)
        })
      })
    }

    it('with resets on 5 % of calls: those are uncertain, and the gate stays open', () => {
      everySeed((seed) => {
        const { figures, network, outcomes } = play(shape, seed, SECONDS, (chance) =>
          chance < 0.05 ? 'resets' : 'fine',
        )
        const affected = network.ambiguousCalls
        assert(figures().uncertain >= affected && figures().uncertain <= affected * maxBatch)
        if (windows) return
        assert(affected > 40)
        const longestMs = Math.max(...outcomes.map(({ latencyMs }) => latencyMs))
        assert(longestMs < 250, `an impression waited for ${longestMs} ms`)
      })
    })

    it('ended by SIGTERM under load: all that was tracked until then is delivered', async () => {
      const clock = new VirtualClock()
      const random = randomFrom(1)
      const network = new VirtualNetwork(clock, random)
      const { transport } = network
      const { delivery, figures, push } = createDelivery({
        network: shape.network,
        clock,
        random,
        transport,
      })
      for (let page = 0; page < (PAGES_PER_SECOND * SECONDS) / 2; page += 1) {
        push(3)
        clock.advance((1_000 / PAGES_PER_SECOND) * 2 * random())
      }
      assert(figures().pending > 0)
      delivery.suspendPacing()
      clock.advance(10_000)
      await delivery.close()
      assert.equal(figures().delivered, figures().tracked)
      assert.equal(network.twice, 0)
      assert.equal(network.ledger.size, figures().tracked)
    })
  })
}
