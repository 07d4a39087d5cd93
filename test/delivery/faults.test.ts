import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { type Sandbox, startSandbox } from '../../lib/sandbox/sandbox.js'
import { FastClock } from './fast-clock.js'
import { createFaultCases, FALSE_SUCCESSES, type FaultCase } from './fault-cases.js'
import { type FaultTestSite, startFaultTestSite } from './fault-test-site.js'
import { RandomFaults } from './random-faults.js'
import { assertReconciled, NETWORKS, type NetworkName, reconcile } from './reconcile.js'
import { createRandom } from './unreliable-network.js'

/** A minute passes in 600 ms. */
const clock = new FastClock(100)

/** A failure is repeated with the seed that the test's title shows. */
const SEED = Number(process.env.FAULT_SEED ?? Date.now() % 1_000_000)

/** Half an hour of the fast clock. */
const CLOSE_TIMEOUT_MS = 1_800_000

/** The impressions of one network that were not delivered. */
interface Losses {
  readonly uncertain: number
  readonly rejected: number
}

const NO_LOSSES: Losses = { uncertain: 0, rejected: 0 }

/** A batch that is refused with one of these is halved until one impression is left. */
const SPLITS = new Set([404, 413, 422])

/** Whether the fault itself makes answers late. */
function isSlow({ fault, worstOutcome }: FaultCase): boolean {
  return worstOutcome === 'uncertain' && Boolean(fault.hang || fault.delayMs !== undefined)
}

function formatTitle({ name, worstOutcome }: FaultCase): string {
  return worstOutcome === 'delivered'
    ? `delivers everything despite ${name}`
    : `ends at most the affected impressions as ${worstOutcome} after ${name}`
}

function assertLosses(faultCase: FaultCase, { uncertain, rejected }: Losses): void {
  const { fault, options, worstOutcome } = faultCase
  // A call carries at most the impressions of two pages. A split batch loses at most one.
  const most = (options.times ?? 0) * (SPLITS.has(fault.status ?? 0) ? 1 : 6)
  const mostUncertain = worstOutcome === 'uncertain' ? most : 0
  const mostRejected = worstOutcome === 'rejected' ? most : 0
  assert(uncertain <= mostUncertain || isSlow(faultCase), `${uncertain} uncertain`)
  assert(rejected <= mostRejected, `${rejected} rejected`)
  // Otherwise the fault has not occurred.
  if (worstOutcome === 'uncertain' && fault.reset !== 'before-read') assert(uncertain > 0)
}

describe('a tracker whose networks fail', () => {
  let sandbox: Sandbox
  let site: FaultTestSite

  before(async () => {
    sandbox = await startSandbox({ now: clock.now })
  })
  beforeEach(async () => {
    sandbox.reset()
    site = await startFaultTestSite(sandbox, clock, createRandom(SEED))
  })
  after(() => sandbox.close())

  async function closeAndReconcile(): Promise<void> {
    await site.close(CLOSE_TIMEOUT_MS)
    for (const network of NETWORKS) assertReconciled(site, sandbox, network)
  }

  /** @param includesLate whether to include late answers, which a busy machine may cause as well */
  function countLosses(network: NetworkName, includesLate = false): Losses {
    const { uncertain, late, rejected } = reconcile(site, sandbox, network)
    const ignored = includesLate ? 0 : late.size
    return { uncertain: uncertain.size - ignored, rejected: rejected.size }
  }

  it('delivers everything if nothing fails', async () => {
    await site.view(10)
    await closeAndReconcile()
    for (const network of NETWORKS) {
      assert.deepEqual(countLosses(network), NO_LOSSES)
      assert.equal(sandbox[network].totals.impressions, 30)
    }
  })

  for (const faultCase of createFaultCases(Date.now())) {
    it(formatTitle(faultCase), async () => {
      await site.view(2)
      for (const network of NETWORKS) sandbox[network].fault(faultCase.fault, faultCase.options)
      for (let n = 0; n < 4; n += 1) await site.view(2)
      await closeAndReconcile()
      for (const network of NETWORKS) {
        assertLosses(faultCase, countLosses(network, isSlow(faultCase)))
      }
    })
  }

  it('rejects the impressions of a 200 that reports an error', async () => {
    for (const network of NETWORKS) sandbox[network].fault(FALSE_SUCCESSES[network], { times: 1 })
    await site.view(4)
    await closeAndReconcile()
    for (const network of NETWORKS) assert(countLosses(network).rejected > 0)
  })

  it('rejects the shortfall of a count that is too low', async () => {
    sandbox.closient.fault({ counts: 1 }, { times: 1 })
    await site.view(1)
    await closeAndReconcile()
    assert.deepEqual(countLosses('closient'), { uncertain: 0, rejected: 2 })
  })

  it('delivers everything after refused connections', async () => {
    await site.view(2)
    await site.waitUntilIdle()
    const acceptConnections = await sandbox.refuse()
    await site.view(5)
    await delay(100)
    await acceptConnections()
    await site.view(2)
    await closeAndReconcile()
    for (const network of NETWORKS) assert.deepEqual(countLosses(network), NO_LOSSES)
  })

  it('delivers everything if idle connections are closed', async () => {
    for (let n = 0; n < 5; n += 1) {
      await site.view(2)
      await site.waitUntilIdle()
      await sandbox.closeIdleConnections()
    }
    await closeAndReconcile()
    for (const network of NETWORKS) assert.deepEqual(countLosses(network), NO_LOSSES)
  })

  it('delivers everything whose answer arrived while the process stood still', async () => {
    await site.view(2)
    await site.waitUntilIdle()
    let calls = 0
    const removeListener = sandbox.ens.on('end', () => {
      calls += 1
      if (calls === 3) clock.standStill(90_000)
    })
    await site.view(1)
    await site.waitUntilIdle()
    removeListener()
    await closeAndReconcile()
    assert.equal(calls, 3)
    assert.deepEqual(countLosses('ens', true), NO_LOSSES)
  })

  it('delivers everything if another program spends the whole quota', async () => {
    sandbox.closient.spend(300)
    await site.view(5)
    await delay(50)
    sandbox.closient.spend(300)
    await site.view(5)
    await closeAndReconcile()
    assert.deepEqual(countLosses('closient'), NO_LOSSES)
  })

  for (let round = 0; round < 5; round += 1) {
    it(`loses nothing and counts nothing twice amid random faults (FAULT_SEED=${SEED}, round ${round})`, async function () {
      this.timeout(60_000)
      const random = createRandom(SEED + round)
      const faults = new RandomFaults(sandbox, clock, random)
      for (let step = 0; step < 60; step += 1) {
        await faults.change()
        await site.view(1 + faults.pick(3))
        if (random() < 0.3) await delay(faults.pick(40))
        site.checkBalance()
      }
      await faults.end()
      await closeAndReconcile()
    })
  }
})
