import { closient, ens } from 'ad-impressions'
import type { StartContestant } from './contestant.js'
import { createClosientInput, createEnsInput } from './impression-inputs.js'

/** The sink accepts any key. */
const apiKey = 'bench-key'

export const startEns: StartContestant = (baseUrl) => ({
  createInput: createEnsInput,
  networks: [ens({ apiKey, baseUrl })],
})

export const startClosient: StartContestant = (baseUrl) => ({
  createInput: createClosientInput,
  networks: [closient({ apiKey, baseUrl })],
})
