// Compiled separately: an app that imports only Koa's entry has the input types of both networks.
import { impressions } from 'ad-impressions/koa'
import type { Context } from 'koa'

export const middleware = impressions()

export function page(ctx: Context): void {
  ctx.state.trackImpression({ campaignId: 42, placement: 'header_banner' })
  ctx.state.trackImpression({ campaignId: 'mhvXdrZT4jP5T8vBxuvm75' })
}
