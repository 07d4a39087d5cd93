import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
// biome-ignore lint/suspicious/noTsIgnore: @ts-expect-error would fail where Express is installed
/** @ts-ignore a project of another framework must compile without Express, and does not use these types. */
import type { Request } from 'express'
import { sendReply } from './request/reply.js'
import type { TrackImpression } from './track-impression.js'
import {
  type ImpressionsOptions,
  pickMethods,
  resolveTracker,
  type TrackerMethods,
} from './tracker.js'

declare global {
  namespace Express {
    interface Locals {
      trackImpression: TrackImpression
    }
  }
}

/**
 * The middleware for Express, with the tracker's methods. Connect, Polka, Restify, h3 and all others
 * that call `(req, res, next)` accept it as well, also on HTTP/2.
 */
export type ImpressionsMiddleware = NodeMiddleware & TrackerMethods

/** @inline */
type NodeMiddleware = (
  req: IncomingMessage | Http2ServerRequest,
  res: ServerResponse | Http2ServerResponse,
  next: (error?: Error) => void,
) => void

/** Express's types, except that other frameworks have no `res.locals`. */
type Outgoing = ServerResponse & { locals?: Partial<Pick<Express.Locals, 'trackImpression'>> }

/**
 * Creates the middleware for Express, which makes `trackImpression` available to every template
 * through `res.locals`. Frameworks without `res.locals`, such as Connect and Polka, get one.
 *
 * @example
 * app.use(impressions()) // keys from ENS_API_KEY and CLOSIENT_API_KEY
 * @throws {ConfigurationError} if an option is invalid or no network is configured
 */
export function impressions(options: ImpressionsOptions<Request> = {}): ImpressionsMiddleware {
  const { methods, pageLoad, reply, misuse } = resolveTracker(options)
  const middleware: NodeMiddleware = (nodeRequest, nodeResponse, next) => {
    if (typeof next !== 'function') {
      misuse.report('express-in-koa')
      return callKoaNext(nodeResponse)
    }
    // The options' functions get Express's request in Express, and the framework's own elsewhere.
    const req = nodeRequest as Request
    const res = nodeResponse as Outgoing
    const visibilityReply = reply(req, req, req.body)
    if (visibilityReply) {
      visibilityReply.then((response) => sendReply(res, response)).catch(next)
      return undefined
    }
    res.locals ??= Object.create(null) as NonNullable<Outgoing['locals']>
    // If two middlewares are mounted, the first one counts: both would count each display twice.
    const helper = pageLoad(req, res, req)
    res.locals.trackImpression ??= helper
    if (res.locals.trackImpression !== helper) misuse.report('second-tracker')
    next()
    return undefined
  }
  return Object.assign(middleware, pickMethods(methods))
}

/** Koa calls a middleware with its context and a `next` whose promise it awaits. */
function callKoaNext(next: unknown): unknown {
  return typeof next === 'function' ? next() : undefined
}
