import { InvalidImpressionError } from '../../lib/errors.js'
import { defineNetwork } from '../../lib/networks/define-network.js'
import type { Network } from '../../lib/networks/network.js'

declare module '../../lib/networks/network.js' {
  interface ImpressionInputs {
    acme: { campaignId: string; slot?: string; network: 'acme' }
  }
}

interface AcmeItem {
  readonly id: string
  readonly slot?: string
}

/** A network as a user of the library defines one. Its campaigns are words, in any case. */
export function acme({
  apiKey,
  baseUrl = 'https://ads.acme.example/v2/',
}: {
  apiKey: string
  baseUrl?: string
}): Network<AcmeItem> {
  return defineNetwork<AcmeItem>({
    name: 'acme',
    baseUrl,
    fields: ['slot'],
    maxBatch: 10,
    parse({ campaignId, slot }) {
      if (typeof campaignId !== 'string' || !/^[a-z]+$/i.test(campaignId)) {
        throw new InvalidImpressionError('campaignId', 'a word', campaignId)
      }
      if (slot !== undefined && typeof slot !== 'string') {
        throw new InvalidImpressionError('slot', 'a string', slot)
      }
      const id = campaignId.toLowerCase()
      return { campaignId: id, item: { id, ...(slot && { slot }) } }
    },
    request: (items) => ({
      method: 'POST',
      path: '/shown',
      headers: { authorization: `Basic ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(items),
    }),
  })
}
