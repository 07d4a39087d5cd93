import { defineNetwork, InvalidImpressionError } from 'ad-impressions'

export interface AcmeImpression {
  network?: 'acme'
  campaignId: string
  slot: 'top' | 'side'
}

// Lets trackImpression() accept, and check, the input of this network.
declare module 'ad-impressions' {
  interface ImpressionInputs {
    acme: AcmeImpression
  }
}

/** Acme takes all views of a page in one call. A network only translates; the library sends. */
export function acme({ apiKey, baseUrl }: { apiKey: string; baseUrl: string }) {
  return defineNetwork({
    name: 'acme',
    baseUrl,
    flush: 'finish',
    maxBatch: 100,
    fields: ['slot'],

    parse({ campaignId, slot }, { device }) {
      if (typeof campaignId !== 'string' || campaignId === '') {
        throw new InvalidImpressionError('campaignId', "the campaign's name", campaignId)
      }
      if (slot !== 'top' && slot !== 'side') {
        throw new InvalidImpressionError('slot', "'top' or 'side'", slot)
      }
      return { campaignId, item: { campaign: campaignId, slot, device } }
    },

    request: (views) => ({
      method: 'POST',
      path: '/v1/views',
      headers: { 'acme-key': apiKey, 'content-type': 'application/json' },
      body: JSON.stringify({ views }),
    }),

    // Without `verdict`, the HTTP status of the answer decides, as RFC 9110 defines it.
  })
}
