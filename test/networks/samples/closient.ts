import type { BuiltInSamples } from './samples.js'

export const samples: BuiltInSamples = {
  publishedHost: 'https://www.closient.com',
  maxConnections: 8,
  valid: [
    { campaignId: 'mhvXdrZT4jP5T8vBxuvm75', searchQuery: 'muesli "bio" 😀' },
    { campaignId: 'a1b2c3d4-e5f6-7890-abcd-ef1234567890', searchQuery: 'muesli "bio" 😀' },
    {
      campaignId: '2222222222222222222222',
      offerId: 'f9e8d7c6-b5a4-3210-fedc-ba0987654321',
      searchQuery: 'muesli "bio" 😀',
    },
  ],
  spellings: [
    [
      { campaignId: '00000000-0000-0000-0000-000000000001' },
      { campaignId: '2222222222222222222223' },
    ],
    [
      { campaignId: 'A1B2C3D4-E5F6-7890-ABCD-EF1234567890' },
      { campaignId: 'a1b2c3d4-e5f6-7890-abcd-ef1234567890', offerId: null },
    ],
  ],
}
