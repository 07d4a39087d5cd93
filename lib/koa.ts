/**
 * The middleware for Koa.
 *
 * @module ad-impressions/koa
 */
import type { Context, DefaultContext, DefaultState, Middleware, Next } from 'koa'
// Imported for its types. Without them, an app that imports only this entry has no input types.
import './networks/index.js'
import type { Reply } from './request/reply.js'
import type { TrackImpression } from './track-impression.js'
import {
  type ImpressionsOptions,
  pickMethods,
  resolveTracker,
  type TrackerMethods,
} from './tracker.js'

declare module 'koa' {
  interface DefaultState {
    trackImpression: TrackImpression
  }
}

/** The middleware for Koa, with the tracker's methods. */
export type ImpressionsMiddleware = Middleware<DefaultState, DefaultContext> & TrackerMethods

/**
 * Creates the middleware for Koa, which makes `trackImpression` available to every template through
 * `ctx.state`.
 *
 * @example
 * app.use(impressions()) // keys from ENS_API_KEY and CLOSIENT_API_KEY
 * @throws {ConfigurationError} if an option is invalid or no network is configured
 */
export function impressions(options: ImpressionsOptions<Context> = {}): ImpressionsMiddleware {
  const { methods, pageLoad, reply, misuse } = resolveTracker(options)
  const middleware = (ctx: Context, next: Next, expressNext?: unknown) => {
    if (typeof next !== 'function') {
      misuse.report('koa-in-express')
      return typeof expressNext === 'function' ? expressNext() : undefined
    }
    // Koa's body parsers put the body on `ctx.request`.
    const visibilityReply = reply(ctx.req, ctx, Reflect.get(ctx.request, 'body'))
    if (visibilityReply) return visibilityReply.then((response) => send(ctx, response))
    // If two middlewares are mounted, the first one counts: both would count each display twice.
    const helper = pageLoad(ctx.req, ctx.res, ctx)
    ctx.state.trackImpression ??= helper
    if (ctx.state.trackImpression !== helper) misuse.report('second-tracker')
    return next()
  }
  return Object.assign(middleware, pickMethods(methods))
}

function send(ctx: Context, { status, headers, body }: Reply): void {
  ctx.status = status
  ctx.set(headers)
  if (body) ctx.body = body
}
