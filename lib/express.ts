// biome-ignore lint/suspicious/noTsIgnore: @ts-expect-error would fail where Express is installed
/** @ts-ignore a Koa project must compile without Express, and does not use these types. */
import type { NextFunction, Request, RequestHandler, Response } from 'express'
import type { TrackImpression } from './track-impression.js'
import {
  type ImpressionsOptions,
  pickMethods,
  resolveTracker,
  type TrackerMethods,
} from './tracker.js'
import { sendReply } from './visibility/reply.js'

declare global {
  namespace Express {
    interface Locals {
      trackImpression: TrackImpression
    }
  }
}

/** The middleware for Express, with the tracker's methods. */
export type ImpressionsMiddleware = RequestHandler & TrackerMethods

/**
 * Creates the middleware for Express, which makes `trackImpression` available to every template
 * through `res.locals`.
 *
 * @example
 * app.use(impressions()) // keys from ENS_API_KEY and CLOSIENT_API_KEY
 * @throws {ConfigurationError} if an option is invalid or no network is configured
 */
export function impressions(options: ImpressionsOptions<Request> = {}): ImpressionsMiddleware {
  const { methods, pageLoad, reply } = resolveTracker(options)
  const middleware = (req: Request, res: Response, next: NextFunction) => {
    const visibilityReply = reply(req, req, req.body)
    if (visibilityReply) {
      visibilityReply.then((response) => sendReply(res, response)).catch(next)
      return
    }
    // If two middlewares are mounted, the first one counts: both would count each display twice.
    res.locals.trackImpression ??= pageLoad(req, res, req)
    next()
  }
  return Object.assign(middleware, pickMethods(methods))
}
