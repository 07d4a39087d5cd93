import type { Context, DefaultContext, DefaultState, Middleware } from 'koa'
// For its types: without them, an app that imports this entry alone could track nothing.
import './networks/index.js'
import type { TrackImpression } from './track-impression.js'
import { type ImpressionsOptions, methodsOf, type TrackerMethods, trackerOf } from './tracker.js'

declare module 'koa' {
  interface DefaultState {
    trackImpression: TrackImpression
  }
}

/** Koa's middleware, with the tracker's methods on it. */
export type ImpressionsMiddleware = Middleware<DefaultState, DefaultContext> & TrackerMethods

/**
 * Koa's middleware: gives every template `trackImpression`, through `ctx.state`.
 *
 * @example
 * app.use(impressions()) // keys from ENS_API_KEY and CLOSIENT_API_KEY
 * @throws {ConfigurationError} if an option is wrong or no network is configured
 */
export function impressions(options: ImpressionsOptions<Context> = {}): ImpressionsMiddleware {
  const { methods, pageLoad } = trackerOf(options)
  const middleware: Middleware<DefaultState, DefaultContext> = (ctx, next) => {
    // Mounted twice, the first counts: two trackers would count one display twice.
    ctx.state.trackImpression ??= pageLoad(ctx.req, ctx.res, ctx)
    return next()
  }
  return Object.assign(middleware, methodsOf(methods))
}
