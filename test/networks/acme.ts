import { InvalidImpressionError } from '../../lib/errors.js'
import { defineNetwork, type Network } from '../../lib/networks/network.js'

interface AcmeItem {
  readonly id: string
  readonly slot?: string
}

/** A network as a user of the library defines one: its campaigns are words, whatever their case. */
export function acme({ apiKey }: { apiKey: string }): Network<AcmeItem> {
  return defineNetwork<AcmeItem>({
    name: 'acme',
    baseUrl: 'https://ads.acme.example/v2/',
    fields: ['slot'],
    maxBatch: 10,
    parse({ campaignId, slot }) {
      if (typeof campaignId !== 'string' || !/^[a-z]+$/i.test(campaignId)) {
        throw new InvalidImpressionError('campaignId', 'a word', campaignId)
      }
      if (slot !== undefined && typeof slot !== 'string') {
        throw new InvalidImpressionError('slot', 'a text', slot)
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
