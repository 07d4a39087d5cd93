import { closient, ens } from 'ad-impressions'
import { closientInputOf, ensInputOf } from './ads.js'
import type { Start } from './contestant.js'

/** Any will do: the sink takes all. */
const apiKey = 'csb_bench'

export const startEns: Start = (baseUrl) => ({
  inputOf: ensInputOf,
  networks: [ens({ apiKey, baseUrl })],
})

export const startClosient: Start = (baseUrl) => ({
  inputOf: closientInputOf,
  networks: [closient({ apiKey, baseUrl })],
})
