import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { NetworkStats, Stats } from '../../../lib/counting/statistics.js'
import { OUTCOMES } from '../../../lib/impression.js'
import type { FleetLimits, FleetSettings } from './fleet-messages.js'
import { type FleetApp, PER_PAGE, RealFleet } from './real-fleet.js'

/** How many impressions the test displays. CI displays 100,000 (FLEET_IMPRESSIONS). */
const IMPRESSIONS = Number(process.env.FLEET_IMPRESSIONS ?? 6_000)
const PROCESSES = 4
const LEASE_MS = 2_000
/** Low enough for what a process has in flight to be a small part of all impressions. */
const LIMITS: FleetLimits = {
  ens: { connections: 8 },
  closient: { connections: 4, maxBatch: Math.min(1_000, Math.ceil(IMPRESSIONS / 100)) },
}
/** A process has claimed at most what its connections carry. */
const MAX_CLAIMED = LIMITS.ens.connections + LIMITS.closient.connections * LIMITS.closient.maxBatch
/** How many impressions of the process to be killed may wait for the outbox's answer at a new page. */
const MAX_UNSTORED = 100
/** How often the test tries to stop a process while it does no step of the store. */
const MAX_STOPS = 50

interface Engine {
  readonly engine: FleetSettings['engine']
  /** Called in the middle. */
  readonly disturb?: () => Promise<void>
  readonly close: () => Promise<void>
}

/** In a step, it would hold LMDB's lock: all others would stand still as well, and not take over. */
async function stopBetweenSteps(stopped: FleetApp, other: FleetApp): Promise<void> {
  for (let attempt = 0; attempt < MAX_STOPS; attempt += 1) {
    stopped.signal('SIGSTOP')
    const answer = other.fleetStats()
    if (await Promise.race([answer, delay(LEASE_MS / 8)])) return
    stopped.signal('SIGCONT')
    await answer
  }
  assert.fail('the process was never stopped between two steps')
}

/** Returns the fleet's figures when everything has its outcome. */
async function killAndStop(fleet: RealFleet, disturb?: () => Promise<void>): Promise<Stats> {
  const [killed, stopped, other] = fleet.apps
  assert(killed && stopped && other)
  const isDone = () => fleet.displayed.size >= IMPRESSIONS
  const loads = fleet.apps.map((app) =>
    fleet.load(app, isDone, app === killed ? MAX_UNSTORED : undefined),
  )
  await fleet.whenDisplayed(IMPRESSIONS * 0.3)
  killed.signal('SIGKILL')
  await fleet.whenDisplayed(IMPRESSIONS * 0.4)
  await stopBetweenSteps(stopped, other)
  await delay(LEASE_MS * 2)
  stopped.signal('SIGCONT')
  await fleet.whenDisplayed(IMPRESSIONS * 0.6)
  await disturb?.()
  await Promise.all(loads)
  return await fleet.whenSettled()
}

/** Nothing is counted twice, and all that is not counted by the network is known to be `uncertain`. */
function assertConcluded(fleet: RealFleet): Set<string | number> {
  const counted = fleet.counted()
  const twice = [...counted].filter(([, times]) => times > 1)
  assert.deepEqual(twice, [], 'counted twice')
  const outcomes = fleet.apps.flatMap((app) => app.outcomes)
  const other = outcomes.filter(({ outcome }) => outcome !== 'uncertain')
  assert.deepEqual(other, [], 'neither delivered nor uncertain')
  const concluded = new Set(counted.keys())
  for (const { campaignId } of outcomes) concluded.add(campaignId)

  const missing = [...fleet.displayed].filter(([campaign]) => !concluded.has(fleet.getId(campaign)))
  // What the killed process had not stored yet is lost with it.
  const lost = missing.filter(([campaign, app]) => {
    return !app.isKilled || app.stored.has(fleet.getId(campaign))
  })
  assert.deepEqual(
    lost.map(([campaign]) => campaign),
    [],
    'lost',
  )
  assert(missing.length <= MAX_UNSTORED + PER_PAGE, `${missing.length} were not stored`)
  return concluded
}

/** The fleet's figures are what was displayed, stored and counted. */
function assertFigures(fleet: RealFleet, stats: Stats, concluded: Set<string | number>): void {
  const sum = (figure: keyof NetworkStats) =>
    Object.values(stats).reduce((total, figures) => total + Number(figures[figure] ?? 0), 0)
  const [tracked, delivered, uncertain] = [sum('tracked'), sum('delivered'), sum('uncertain')]
  assert.equal(tracked, concluded.size, 'the sum over the processes')
  assert.equal(delivered + uncertain, tracked)
  const interrupted = [...fleet.interrupted].filter((one) => concluded.has(fleet.getId(one)))
  const displayed = [...fleet.displayed.keys()].filter((one) => concluded.has(fleet.getId(one)))
  assert.equal(tracked, displayed.length + interrupted.length, 'displayed')
  const counted = fleet.counted().size
  assert(delivered <= counted, `${delivered} delivered, ${counted} counted`)
  assert(delivered + uncertain >= counted, `${counted} counted, ${delivered} + ${uncertain}`)
  // In flight when one process was killed, and another one stopped.
  assert(uncertain <= 2 * MAX_CLAIMED, `${uncertain} uncertain`)
}

/** Every impression has its one outcome. */
function assertEnded(figures: NetworkStats): void {
  const ended = OUTCOMES.reduce((sum, outcome) => sum + figures[outcome], 0)
  assert.equal(figures.held + figures.pending, 0)
  assert.equal(figures.tracked, ended, 'the figures do not balance')
}

/**
 * Four real processes under load share an outbox; one is killed, and one stands still for longer
 * than its lease.
 */
export function fleetContract(name: string, open: () => Promise<Engine>): void {
  it(`${name}: processes that are killed and stopped under load count nothing twice and lose nothing`, async function () {
    this.timeout(300_000)
    const { engine, disturb, close } = await open()
    let fleet: RealFleet | undefined
    try {
      fleet = await RealFleet.start({ engine, leaseMs: LEASE_MS, limits: LIMITS }, PROCESSES)
      const stats = await killAndStop(fleet, disturb)
      for (const figures of Object.values(stats)) assertEnded(figures)
      for (const figures of await Promise.all(fleet.running.map((app) => app.close()))) {
        for (const one of Object.values(figures)) assertEnded(one)
      }
      // Only now has every process reported its last outcomes.
      assertFigures(fleet, stats, assertConcluded(fleet))
    } finally {
      await fleet?.stop()
      await close()
    }
  })
}
