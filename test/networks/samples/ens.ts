import type { BuiltInSamples } from './samples.js'

export const samples: BuiltInSamples = {
  publishedHost: 'https://ads.enslive.live',
  maxConnections: 128,
  valid: [
    { campaignId: 7_777, placement: 'header_banner', location: 'US', device: 'mobile' },
    { campaignId: Number.MAX_SAFE_INTEGER, placement: 'ünï "quoted" \\ 😀' },
  ],
  spellings: [
    [
      { campaignId: 42, placement: 'a' },
      { campaignId: 42.0, placement: 'b', network: 'ens' },
    ],
  ],
}
