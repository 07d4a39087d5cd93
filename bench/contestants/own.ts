import { closient, createTracker, ens, type Network } from 'ad-impressions'
import { closientInputOf, ensInputOf } from './ads.js'
import type { Counting } from './contestant.js'

/** Any will do: the sink takes all. */
const apiKey = 'csb_bench'

export const startEns = (baseUrl: string) => counting(ens({ apiKey, baseUrl }), ensInputOf)

export const startClosient = (baseUrl: string) =>
  counting(closient({ apiKey, baseUrl }), closientInputOf)

function counting(network: Network, inputOf: Counting['inputOf']): Counting {
  const tracker = createTracker({ networks: [network] })
  return {
    inputOf,
    tracker,
    flush: () => tracker.flush(),
    close: (timeoutMs) => tracker.close({ timeoutMs }),
  }
}
