import assert from 'node:assert/strict'
import { createDelivery, type DeliveryFixture } from './delivery-fixture.js'
import type { ScriptedCall } from './scripted-transport.js'
import { type Behaviour, createRandom, UnreliableNetwork } from './unreliable-network.js'
import { VirtualClock } from './virtual-clock.js'

/** A minute of 100 page views per second, with three impressions each. */
const PAGES_PER_SECOND = 100
const SECONDS = 60
const TRACKED = PAGES_PER_SECOND * SECONDS * 3
const FAILURE_START_SECOND = 20

const SEEDS = [1, 2]

const NETWORKS = [
  { name: 'one impression per call', network: { connections: 128 } },
  { name: 'one batch per page', network: { connections: 8, maxBatch: 1_000 } },
  {
    name: 'one batch per page within quotas',
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
type NetworkOptions = (typeof NETWORKS)[number]['network']

function createScenario(networkOptions: NetworkOptions, seed: number) {
  const clock = new VirtualClock()
  const random = createRandom(seed)
  const network = new UnreliableNetwork(clock, random)
  const { transport } = network
  const fixture = createDelivery({ network: networkOptions, clock, random, transport })
  return { ...fixture, network, random }
}

type Scenario = ReturnType<typeof createScenario>

/** Pages come at random intervals. */
function viewPages({ push, clock, random }: Scenario, seconds: number): void {
  for (let page = 0; page < PAGES_PER_SECOND * seconds; page += 1) {
    push(3)
    clock.advance((1_000 / PAGES_PER_SECOND) * 2 * random())
  }
}

/** Makes the network fail for so many seconds of the minute. */
function scheduleFailure(
  { clock, network, statistics }: Scenario,
  seconds: number,
  chooseBehaviour: (random: number) => Behaviour,
) {
  const startMs = clock.now() + FAILURE_START_SECOND * 1_000
  const endMs = startMs + seconds * 1_000
  const isFailing = (atMs: number) => atMs >= startMs && atMs < endMs
  network.behave = (random) => (isFailing(clock.now()) ? chooseBehaviour(random) : 'answers')
  /** A late answer to an earlier call hides the failure again. */
  let detectedMs = Number.POSITIVE_INFINITY
  statistics.on('outcome', ({ outcome }) => {
    if (outcome === 'uncertain') detectedMs = Math.min(detectedMs, clock.now())
    else if (isFailing(clock.now())) detectedMs = Number.POSITIVE_INFINITY
  })
  return { isFailing, getDetectedMs: () => detectedMs }
}

function assertNothingLost(
  {
    figures,
    outcomes,
    checkBalance,
  }: Pick<DeliveryFixture, 'figures' | 'outcomes' | 'checkBalance'>,
  { countedTwice, timesCounted }: UnreliableNetwork,
): void {
  checkBalance()
  const { pending, dropped, rejected, delivered, uncertain } = figures()
  assert.equal(outcomes.length, TRACKED)
  assert.equal(pending, 0)
  assert.equal(countedTwice, 0)
  assert.equal(dropped + rejected, 0)
  assert.equal(delivered + uncertain, TRACKED)
  assert(timesCounted.size >= delivered)
  assert(timesCounted.size <= delivered + uncertain)
}

/** Simulates a minute of traffic in which the network fails for so many seconds. */
function simulateMinute(
  networkOptions: NetworkOptions,
  seed: number,
  seconds: number,
  chooseBehaviour: (random: number) => Behaviour,
) {
  const scenario = createScenario(networkOptions, seed)
  const { clock, network, transport } = scenario
  const { isFailing, getDetectedMs } = scheduleFailure(scenario, seconds, chooseBehaviour)
  viewPages(scenario, SECONDS)
  // A small quota needs time for the rest.
  clock.advance(2 * 3_600_000)
  assertNothingLost(scenario, network)

  const failedCalls = transport.calls.filter(({ atMs }) => isFailing(atMs))
  return {
    ...scenario,
    failedCalls,
    /** Failed calls before delivery detected the failure. */
    callsAtStart: failedCalls.filter(({ atMs }) => atMs < getDetectedMs()),
    /** Failed calls afterwards. */
    probes: failedCalls.filter(({ atMs }) => atMs >= getDetectedMs()),
  }
}

function countItems(calls: readonly ScriptedCall[]): number {
  return calls.reduce((sum, { items }) => sum + items.length, 0)
}

for (const { name, network: options } of NETWORKS) {
  const { connections, maxBatch = 1, windows } = options

  describe(`a minute of 300 impressions per second, ${name}`, () => {
    for (const [failure, seconds, behaviour] of [
      ['500s for 10 s', 10, 'fails'],
      ['429s with Retry-After: 2 for 10 s', 10, 'throttles'],
      ['refused connections for 15 s', 15, 'refuses'],
    ] as const) {
      it(`delivers everything once despite ${failure}`, () => {
        for (const seed of SEEDS) {
          const { figures, failedCalls } = simulateMinute(options, seed, seconds, () => behaviour)
          assert.equal(figures().uncertain, 0)
          assert.equal(figures().delivered, TRACKED)
          // The calls in flight at the start, and the probes.
          assert(failedCalls.length <= 40, `${failedCalls.length} failed calls`)
        }
      })
    }

    for (const [failure, seconds, behaviour, mostProbes] of [
      ['a hang for 30 s', 30, 'hangs', 5],
      ['502s for 15 s', 15, 'gateway-fails', 20],
    ] as const) {
      it(`costs the calls in flight and one impression per probe during ${failure}`, () => {
        for (const seed of SEEDS) {
          const result = simulateMinute(options, seed, seconds, () => behaviour)
          const { figures, callsAtStart, probes } = result
          assert(callsAtStart.length <= connections, `${callsAtStart.length} calls at the start`)
          assert(probes.length <= mostProbes, `${probes.length} probes`)
          assert.equal(countItems(probes), probes.length, 'a probe carried several impressions')
          assert.equal(figures().uncertain, countItems(callsAtStart) + probes.length)
        }
      })
    }

    it('costs only the affected calls and stays closed if 5 % of calls are reset', () => {
      for (const seed of SEEDS) {
        const result = simulateMinute(options, seed, SECONDS, (random) =>
          random < 0.05 ? 'resets' : 'answers',
        )
        const { figures, network, outcomes } = result
        const affected = network.ambiguousCalls
        assert(figures().uncertain >= affected && figures().uncertain <= affected * maxBatch)
        if (windows) continue
        assert(affected > 40)
        const longestMs = Math.max(...outcomes.map(({ latencyMs }) => latencyMs))
        assert(longestMs < 250, `an impression waited for ${longestMs} ms`)
      }
    })

    it('delivers everything that was tracked before a SIGTERM under load', async () => {
      const scenario = createScenario(options, 1)
      const { delivery, figures, clock, network } = scenario
      viewPages(scenario, SECONDS / 2)
      assert(figures().pending > 0)
      delivery.suspendPacing()
      clock.advance(10_000)
      await delivery.close()
      assert.equal(figures().delivered, figures().tracked)
      assert.equal(network.countedTwice, 0)
      assert.equal(network.timesCounted.size, figures().tracked)
    })
  })
}
