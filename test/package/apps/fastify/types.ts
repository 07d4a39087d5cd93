// What users of Fastify can and cannot write. Only compiled: `tsc` fails on an unexpected error, and
// on an expected error that is missing. Express, Koa and their types are not installed here.
import { createTracker } from 'ad-impressions'
import { impressions } from 'ad-impressions/fastify'
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify'

declare module 'fastify' {
  interface FastifyReplyLocals {
    user: string
  }
}

export async function page(_request: FastifyRequest, reply: FastifyReply): Promise<string> {
  const { trackImpression } = reply.locals
  const printed: '' = trackImpression({ campaignId: 42, placement: 'header_banner' })
  const attribute: string = trackImpression.whenVisible({ campaignId: 'mhvXdrZT4jP5T8vBxuvm75' })
  reply.locals.user = 'Ann'
  reply.locals.title = 'Any other name'

  // @ts-expect-error: no placement
  trackImpression({ campaignId: 42 })
  // @ts-expect-error: a string is a Closient campaign, which has no placement
  trackImpression({ campaignId: '42', placement: 'a' })
  // @ts-expect-error: not a string
  reply.locals.user = 42
  return printed + attribute
}

const plugin = impressions({
  // Each function receives Fastify's request.
  requestId: (request) => request.id,
  country: (request) => request.headers['x-country']?.toString(),
  device: (request) => (request.hostname.startsWith('m.') ? 'mobile' : 'desktop'),
  consent: ({ url }) => url !== '/no',
})
const app = fastify()
app.register(plugin)
await app.register(impressions({ tracker: createTracker() }))
app.get('/', page)
app.register(async (part) => void part.register(plugin), { prefix: '/shop' })
plugin.on('outcome', ({ network, outcome, reason }) => console.log(network, outcome, reason))
export const delivered: number | undefined = plugin.stats().ens?.delivered

// @ts-expect-error: no such option
impressions({ network: [] })
// @ts-expect-error: not a string
impressions({ requestId: (request) => request.raw })
