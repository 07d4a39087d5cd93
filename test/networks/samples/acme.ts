import type { NetworkSamples } from './samples.js'

export const samples: NetworkSamples = {
  valid: [{ campaignId: 'spring', slot: 'top' }, { campaignId: 'summer' }],
  spellings: [[{ campaignId: 'Spring' }, { campaignId: 'spring', slot: '' }]],
}
