import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { OUTCOMES } from '../../../lib/impression.js'
import type { FleetSettings } from './fleet-messages.js'
import { RealFleet } from './real-fleet.js'

/** How many impressions the test displays. */
const IMPRESSIONS = Number(process.env.FLEET_IMPRESSIONS ?? 6_000)
const PROCESSES = 4
const LEASE_MS = 2_000
/** A page that a killed process finished just before may not be in the store yet. */
const UNSTORED_PAGES = 50

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
    this.timeout(120_000)
    const { engine, disturb, close } = await open()
    const fleet = await RealFleet.start({ engine, leaseMs: LEASE_MS }, PROCESSES)
    try {
      const [killed, stopped, ...others] = fleet.apps
      assert(killed && stopped && others[0])
      const share = (part: number) => () => fleet.displayed.size >= IMPRESSIONS * part
      const whenShown = async (part: number) => {
        while (!share(part)()) await delay(20)
      }
      const loads = fleet.apps.map((app) => fleet.load(app, share(1)))
      await whenShown(0.3)
      killed.signal('SIGKILL')
      await whenShown(0.4)
      stopped.signal('SIGSTOP')
      await delay(LEASE_MS * 2)
      stopped.signal('SIGCONT')
      await whenShown(0.6)
      await disturb?.()
      await Promise.all(loads)
      const stats = await fleet.whenSettled(others[0])

      const counted = fleet.counted()
      const twice = [...counted].filter(([, times]) => times > 1)
      assert.deepEqual(twice, [], 'counted twice')
      const notDelivered = fleet.notDelivered()
      const missing = [...fleet.displayed].filter(([campaign]) => {
        const id = fleet.idOf(campaign)
        return !counted.has(id) && !notDelivered.has(id)
      })
      const isOfKilled = ([, app]: [number, unknown]) => app === killed
      assert.deepEqual(
        missing.filter((one) => !isOfKilled(one)),
        [],
        'lost',
      )
      assert(missing.length <= UNSTORED_PAGES, `${missing.length} lost by the killed process`)
      for (const figures of Object.values(stats)) {
        const ended = OUTCOMES.reduce((sum, outcome) => sum + figures[outcome], 0)
        assert.equal(figures.tracked, ended, 'the fleet’s figures do not balance')
      }
      const total = (stats.ens?.delivered ?? 0) + (stats.closient?.delivered ?? 0)
      assert(total <= counted.size, `${total} delivered, ${counted.size} counted`)
      const uncertain = (stats.ens?.uncertain ?? 0) + (stats.closient?.uncertain ?? 0)
      assert(total + uncertain >= counted.size, `${counted.size} counted, ${total} + ${uncertain}`)
      const running = fleet.apps.filter(({ isKilled }) => !isKilled)
      for (const figures of await Promise.all(running.map((app) => app.close()))) {
        for (const { tracked, held, pending, ...outcomes } of Object.values(figures)) {
          assert.equal(held + pending, 0)
          assert.equal(
            tracked,
            Object.values(outcomes).reduce((sum, count) => sum + count, 0),
          )
        }
      }
    } finally {
      await fleet.stop()
      await close()
    }
  })
}
