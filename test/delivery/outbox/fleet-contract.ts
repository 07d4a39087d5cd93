import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { NetworkStats } from '../../../lib/counting/statistics.js'
import { OUTCOMES } from '../../../lib/impression.js'
import type { FleetSettings } from './fleet-messages.js'
import { RealFleet } from './real-fleet.js'

/** How many impressions the test displays. CI displays 100,000 (FLEET_IMPRESSIONS). */
const IMPRESSIONS = Number(process.env.FLEET_IMPRESSIONS ?? 6_000)
const PROCESSES = 4
const LEASE_MS = 2_000
/** What a killed process displayed so shortly before may not be in the store yet. */
const UNSTORED_MS = 5_000

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
export function fleetContract(
  name: string,
  open: () => Promise<{
    readonly engine: FleetSettings['engine']
    /** Called in the middle. */
    readonly disturb?: () => Promise<void>
    readonly close: () => Promise<void>
  }>,
): void {
  it(`${name}: processes that are killed and stopped under load count nothing twice and lose nothing`, async function () {
    this.timeout(300_000)
    const { engine, disturb, close } = await open()
    const fleet = await RealFleet.start({ engine, leaseMs: LEASE_MS }, PROCESSES)
    try {
      const [killed, stopped] = fleet.apps
      assert(killed && stopped)
      const loads = fleet.apps.map((app) =>
        fleet.load(app, () => fleet.displayed.size >= IMPRESSIONS),
      )
      await fleet.whenDisplayed(IMPRESSIONS * 0.3)
      killed.signal('SIGKILL')
      await fleet.whenDisplayed(IMPRESSIONS * 0.4)
      stopped.signal('SIGSTOP')
      await delay(LEASE_MS * 2)
      stopped.signal('SIGCONT')
      await fleet.whenDisplayed(IMPRESSIONS * 0.6)
      await disturb?.()
      await Promise.all(loads)
      const stats = await fleet.whenSettled()

      const counted = fleet.counted()
      const twice = [...counted].filter(([, times]) => times > 1)
      assert.deepEqual(twice, [], 'counted twice')
      const notDelivered = fleet.notDelivered()
      const lost = [...fleet.displayed].filter(([campaign, { app, atMs }]) => {
        const id = fleet.getId(campaign)
        const isStored = atMs < (app.killedAtMs ?? Number.POSITIVE_INFINITY) - UNSTORED_MS
        return isStored && !counted.has(id) && !notDelivered.has(id)
      })
      assert.deepEqual(lost, [], 'lost')
      for (const figures of Object.values(stats)) assertEnded(figures)
      const total = (stats.ens?.delivered ?? 0) + (stats.closient?.delivered ?? 0)
      assert(total <= counted.size, `${total} delivered, ${counted.size} counted`)
      const uncertain = (stats.ens?.uncertain ?? 0) + (stats.closient?.uncertain ?? 0)
      assert(total + uncertain >= counted.size, `${counted.size} counted, ${total} + ${uncertain}`)
      const running = fleet.apps.filter(({ isKilled }) => !isKilled)
      for (const figures of await Promise.all(running.map((app) => app.close()))) {
        for (const one of Object.values(figures)) assertEnded(one)
      }
    } finally {
      await fleet.stop()
      await close()
    }
  })
}
