// Compiled by itself: an app that imports nothing but Koa's entry can name both networks' inputs.
import { impressions } from 'ad-impressions/koa'
import type { Context } from 'koa'

export const middleware = impressions()

export function page(ctx: Context): void {
  ctx.state.trackImpression({ campaignId: 42, placement: 'header_banner' })
  ctx.state.trackImpression({ campaignId: 'mhvXdrZT4jP5T8vBxuvm75' })
}
