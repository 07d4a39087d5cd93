import type { Context, DefaultContext, DefaultState, Middleware } from 'koa'
// For the input types of the networks: an app may import this entry alone.
import './networks/index.js'
import type { TrackImpression } from './track-impression.js'
import {
  type ImpressionsOptions,
  pickMethods,
  resolveTracker,
  type TrackerMethods,
} from './tracker.js'
import type { Reply } from './visibility/reply.js'

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
  const { methods, pageLoad, reply } = resolveTracker(options)
  const middleware: Middleware<DefaultState, DefaultContext> = (ctx, next) => {
    // Where Koa's body parsers leave it.
    const visibility = reply(ctx.req, ctx, Reflect.get(ctx.request, 'body'))
    if (visibility) return visibility.then((answer) => send(ctx, answer))
    // Mounted twice, the first counts: two trackers would count one display twice.
    ctx.state.trackImpression ??= pageLoad(ctx.req, ctx.res, ctx)
    return next()
  }
  return Object.assign(middleware, pickMethods(methods))
}

function send(ctx: Context, { status, headers, body }: Reply): void {
  ctx.status = status
  ctx.set(headers)
  if (body) ctx.body = body
}
