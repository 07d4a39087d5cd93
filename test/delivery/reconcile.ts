import assert from 'node:assert/strict'
import type { Sandbox, SandboxCall } from '../../lib/sandbox/sandbox.js'
import type { FaultTestSite } from './fault-test-site.js'

export const NETWORKS = ['ens', 'closient'] as const
export type NetworkName = (typeof NETWORKS)[number]

/** The outcomes of one network's impressions, beside what the network itself has counted. */
export function reconcile(site: FaultTestSite, sandbox: Sandbox, name: NetworkName) {
  const events = site.outcomes.filter(({ network }) => network === name)
  const selectCampaigns = (isSelected: (event: (typeof events)[number]) => boolean) =>
    new Set<unknown>(events.filter(isSelected).map(({ campaignId }) => campaignId))
  return {
    stats: site.methods.stats()[name],
    events,
    delivered: selectCampaigns(({ outcome }) => outcome === 'delivered'),
    uncertain: selectCampaigns(({ outcome }) => outcome === 'uncertain'),
    /** The uncertain ones whose answer was late. On a busy machine, any answer may be. */
    late: selectCampaigns(({ reason }) => reason.startsWith('timeout: ')),
    rejected: selectCampaigns(({ outcome }) => outcome === 'rejected'),
    counted: readCounted(site, sandbox, name),
  }
}

/** The site's impressions that the network has counted, in the order in which it did. */
function readCounted(site: FaultTestSite, sandbox: Sandbox, name: NetworkName) {
  const network = sandbox[name]
  const calls = new Map(network.calls.map((call) => [call.id, call]))
  return network.impressions
    .filter(({ campaignId }) => site.shownCampaigns.has(campaignId))
    .map(({ campaignId, call }) => {
      return { campaignId: campaignId as unknown, isAnswered: isAccepted(calls.get(call)) }
    })
}

/** Whether the answer to a call is a 2xx, which a fault may send as raw bytes. */
function isAccepted(call: SandboxCall | undefined): boolean {
  const { status = null, fault = null } = call ?? {}
  return status === null
    ? /^HTTP\/1\.1 200 .*\r\n\r\n/ms.test(fault?.raw ?? '')
    : status >= 200 && status < 300
}

/** Asserts what must hold after any fault: nothing is lost, and nothing is counted twice. */
export function assertReconciled(site: FaultTestSite, sandbox: Sandbox, name: NetworkName): void {
  const { stats, events, delivered, uncertain, late, counted } = reconcile(site, sandbox, name)
  assert(stats)
  site.checkBalance()
  assert.equal(stats.held + stats.pending, 0, `${name}: an impression has no outcome`)
  assert.equal(events.length, stats.tracked, `${name}: not one outcome per impression`)
  const ids = new Set(events.map(({ campaignId }) => campaignId))
  assert.equal(ids.size, events.length, `${name}: an impression has two outcomes`)
  assert.equal(stats.dropped, 0, `${name}: an impression is lost`)

  const countedIds = new Set<unknown>(counted.map(({ campaignId }) => campaignId))
  assert.equal(countedIds.size, counted.length, `${name}: an impression is counted twice`)
  // A late answer was not received.
  const received = counted.filter(
    ({ campaignId, isAnswered }) => isAnswered && !late.has(campaignId),
  )
  assert.deepEqual(
    delivered,
    new Set(received.map(({ campaignId }) => campaignId)),
    `${name}: delivered differs from what the network counted and answered`,
  )
  for (const id of countedIds) {
    assert(delivered.has(id) || uncertain.has(id), `${name}: ${id} was counted, but not reported`)
  }
}
