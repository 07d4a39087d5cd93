// What users of Express can and cannot write. Only compiled: `tsc` fails on an unexpected error, and
// on an expected error that is missing.
import { createTracker, defineNetwork, ens, impressions } from 'ad-impressions'
import express, { type Request, type Response } from 'express'

declare module 'ad-impressions' {
  interface ImpressionInputs {
    acme: { network: 'acme'; campaignId: string; slot: number }
  }
}

export function page(_req: Request, res: Response): void {
  const { trackImpression } = res.locals
  const printed: '' = trackImpression({ campaignId: 42, placement: 'header_banner' })
  const requestId: string = trackImpression.requestId
  res.send(printed + requestId)

  res.locals.trackImpression({ campaignId: 42, placement: 'a', location: 'GB', device: 'mobile' })
  res.locals.trackImpression({ campaignId: 'mhvXdrZT4jP5T8vBxuvm75', offerId: null })
  res.locals.trackImpression({ campaignId: 'mhvXdrZT4jP5T8vBxuvm75', searchQuery: 'tea' })
  res.locals.trackImpression({ network: 'acme', campaignId: 'a1', slot: 3 })

  const attribute: string = trackImpression.whenVisible({ campaignId: 42, placement: 'footer' })
  const tag: string = trackImpression.script() + trackImpression.script({ nonce: 'bm9uY2U=' })
  res.write(`<p ${attribute}>${tag}`)
  // @ts-expect-error: no placement
  res.locals.trackImpression.whenVisible({ campaignId: 42 })
  // @ts-expect-error: a nonce is a string
  res.locals.trackImpression.script({ nonce: 42 })

  // @ts-expect-error: no placement
  res.locals.trackImpression({ campaignId: 42 })
  // @ts-expect-error: no campaignId
  res.locals.trackImpression({ placement: 'a' })
  // @ts-expect-error: an ENS campaign is a number
  res.locals.trackImpression({ network: 'ens', campaignId: '42', placement: 'a' })
  // @ts-expect-error: a string is a Closient campaign, which has no placement
  res.locals.trackImpression({ campaignId: '42', placement: 'a' })
  // @ts-expect-error: no such device
  res.locals.trackImpression({ campaignId: 42, placement: 'a', device: 'phone' })
  // @ts-expect-error: no such field
  res.locals.trackImpression({ campaignId: 42, placement: 'a', colour: 'red' })
  // @ts-expect-error: no such network
  res.locals.trackImpression({ network: 'nobody', campaignId: 42, placement: 'a' })
  // @ts-expect-error: Acme's slot is a number
  res.locals.trackImpression({ network: 'acme', campaignId: 'a1', slot: 'top' })
  // @ts-expect-error: no input
  res.locals.trackImpression()
  // @ts-expect-error: requestId is read-only
  res.locals.trackImpression.requestId = 'mine'
}

export const visible = impressions({ visibility: { secret: process.env.AD_IMPRESSIONS_SECRET } })

const acme = defineNetwork({
  name: 'acme',
  baseUrl: 'https://ads.example.com',
  fields: ['slot'],
  parse: ({ campaignId, slot }) => ({
    campaignId: String(campaignId),
    item: { id: String(campaignId), slot: Number(slot) },
  }),
  // `Item` is inferred from `parse`.
  request: (items) => ({
    method: 'POST',
    path: '/shown',
    headers: { authorization: 'Bearer key' },
    body: JSON.stringify(items.map(({ id, slot }) => `${id.trim()} ${slot.toFixed()}`)),
  }),
})

const middleware = impressions({
  networks: [ens({ apiKey: 'key' }), acme],
  // Each function receives Express's request.
  requestId: (req) => req.get('x-page-load') ?? '',
  country: (req) => req.get('x-country'),
  device: (req) => (req.hostname.startsWith('m.') ? 'mobile' : 'desktop'),
  searchQuery: (req) => String(req.query.q ?? ''),
  consent: (req) => req.path !== '/no',
})
express().use(middleware).use('/shop', middleware).get('/', page)
middleware.on('outcome', ({ network, outcome, reason }) => console.log(network, outcome, reason))
export const delivered: number | undefined = middleware.stats().ens?.delivered

// @ts-expect-error: no such option
impressions({ network: [] })
// @ts-expect-error: no such content delivery network
impressions({ country: 'nobody' })
// @ts-expect-error: no such device
impressions({ device: () => 'phone' })
// @ts-expect-error: not a string
impressions({ requestId: (req) => req.ip !== undefined })

const tracker = createTracker({ requestId: (req) => req.headers.host ?? '' })
export const shared = impressions({ tracker })
