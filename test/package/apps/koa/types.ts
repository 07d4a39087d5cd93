// What users of Koa can and cannot write. Only compiled: `tsc` fails on an unexpected error, and on an
// expected error that is missing. Express and its types are not installed here.
import { createTracker, defineNetwork, ens } from 'ad-impressions'
import { impressions } from 'ad-impressions/koa'
import Koa, { type Context, type DefaultState, type ParameterizedContext } from 'koa'

declare module 'ad-impressions' {
  interface ImpressionInputs {
    acme: { network: 'acme'; campaignId: string; slot: number }
  }
}

export function page(ctx: Context): void {
  const { trackImpression } = ctx.state
  const printed: '' = trackImpression({ campaignId: 42, placement: 'header_banner' })
  const requestId: string = trackImpression.requestId
  ctx.body = printed + requestId

  ctx.state.trackImpression({ campaignId: 42, placement: 'a', location: 'GB', device: 'mobile' })
  ctx.state.trackImpression({ campaignId: 'mhvXdrZT4jP5T8vBxuvm75', offerId: null })
  ctx.state.trackImpression({ campaignId: 'mhvXdrZT4jP5T8vBxuvm75', searchQuery: 'tea' })
  ctx.state.trackImpression({ network: 'acme', campaignId: 'a1', slot: 3 })

  // @ts-expect-error: no placement
  ctx.state.trackImpression({ campaignId: 42 })
  // @ts-expect-error: no campaignId
  ctx.state.trackImpression({ placement: 'a' })
  // @ts-expect-error: an ENS campaign is a number
  ctx.state.trackImpression({ network: 'ens', campaignId: '42', placement: 'a' })
  // @ts-expect-error: a string is a Closient campaign, which has no placement
  ctx.state.trackImpression({ campaignId: '42', placement: 'a' })
  // @ts-expect-error: no such device
  ctx.state.trackImpression({ campaignId: 42, placement: 'a', device: 'phone' })
  // @ts-expect-error: no such field
  ctx.state.trackImpression({ campaignId: 42, placement: 'a', colour: 'red' })
  // @ts-expect-error: no such network
  ctx.state.trackImpression({ network: 'nobody', campaignId: 42, placement: 'a' })
  // @ts-expect-error: Acme's slot is a number
  ctx.state.trackImpression({ network: 'acme', campaignId: 'a1', slot: 'top' })
  // @ts-expect-error: no input
  ctx.state.trackImpression()
  // @ts-expect-error: requestId is read-only
  ctx.state.trackImpression.requestId = 'mine'
}

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
  // Each function receives Koa's context.
  requestId: (ctx) => ctx.get('x-page-load'),
  country: (ctx) => ctx.request.get('x-country'),
  device: (ctx) => (ctx.hostname.startsWith('m.') ? 'mobile' : 'desktop'),
  searchQuery: (ctx) => ctx.URL.searchParams.get('q'),
  consent: (ctx) => ctx.cookies.get('consent') === 'yes',
})

const app = new Koa()
app.use(middleware)
// The context of an inline middleware is inferred.
app.use(async (ctx, next) => {
  ctx.state.trackImpression({ campaignId: 42, placement: 'a' })
  // @ts-expect-error: no placement
  ctx.state.trackImpression({ campaignId: 42 })
  await next()
})
app.use(page)
// An app with its own state type.
interface State extends DefaultState {
  user: string
}
const typed = new Koa<State>()
typed.use(middleware)
typed.use(async (ctx: ParameterizedContext<State>) => {
  ctx.state.user = ctx.state.trackImpression.requestId
  // @ts-expect-error: no placement
  ctx.state.trackImpression({ campaignId: 42 })
})

middleware.on('outcome', ({ network, outcome, reason }) => console.log(network, outcome, reason))
export const delivered: number | undefined = middleware.stats().ens?.delivered

// @ts-expect-error: no such option
impressions({ network: [] })
// @ts-expect-error: no such content delivery network
impressions({ country: 'nobody' })
// @ts-expect-error: no such device
impressions({ device: () => 'phone' })
// @ts-expect-error: not a string
impressions({ requestId: (ctx) => ctx.secure })

const tracker = createTracker({ requestId: (req) => req.headers.host ?? '' })
export const shared = impressions({ tracker })
