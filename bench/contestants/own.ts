import { closient, createTracker, ens, type Network } from 'ad-impressions'
import { placementOf, shortuuidOf } from './ads.js'
import type { Contestant, Counting } from './contestant.js'

/** The key is any: the sink takes all. */
const apiKey = 'csb_bench'

export const ensInputOf = (campaign: number) => ({
  campaignId: campaign,
  placement: placementOf(campaign),
})

export const closientInputOf = (campaign: number) => ({ campaignId: shortuuidOf(campaign) })

function counting(network: Network, inputOf: Counting['inputOf']): Counting {
  const tracker = createTracker({ networks: [network] })
  return { inputOf, tracker, close: (timeoutMs) => tracker.close({ timeoutMs }) }
}

const startEns = (baseUrl: string) => counting(ens({ apiKey, baseUrl }), ensInputOf)
const startClosient = (baseUrl: string) => counting(closient({ apiKey, baseUrl }), closientInputOf)

export const DEFAULT_TIER = 300
/** A custom tier that allows more calls than one process makes. */
export const AMPLE_TIER = 1_000_000

export const own = {
  none: { label: 'ad-impressions, nothing tracked', impressions: 0, wire: 'ens', start: startEns },
  ens: { label: 'ad-impressions, 3 ENS', impressions: 3, wire: 'ens', start: startEns },
  closientMerged: {
    label: 'ad-impressions, 3 Closient, pages merge',
    impressions: 3,
    wire: 'closient',
    callsPerMinute: DEFAULT_TIER,
    start: startClosient,
  },
  closient: {
    label: 'ad-impressions, 3 Closient, a batch a page',
    impressions: 3,
    wire: 'closient',
    callsPerMinute: AMPLE_TIER,
    start: startClosient,
  },
  closientFifty: {
    label: 'ad-impressions, 50 Closient, a batch a page',
    impressions: 50,
    wire: 'closient',
    callsPerMinute: AMPLE_TIER,
    start: startClosient,
  },
} satisfies Record<string, Contestant>
