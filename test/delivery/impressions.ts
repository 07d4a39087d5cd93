import type { Impression } from '../../lib/impression.js'

/** Makes impressions for one network, each of another page load. */
export function createImpressionFactory(network = 'acme') {
  let made = 0
  return (more: Partial<Impression> = {}): Impression => {
    made += 1
    return {
      network,
      requestId: `page-${made}`,
      campaignId: made,
      batchKey: '',
      item: made,
      trackedAtMs: 0,
      attempts: 0,
      sequence: made,
      ...more,
    }
  }
}
