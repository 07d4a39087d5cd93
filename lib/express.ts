// biome-ignore lint/suspicious/noTsIgnore: an expected error would be one where Express is installed
/** @ts-ignore a Koa project has no Express, and must compile: it has no use for these types. */
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

/** Express's middleware, with the tracker's methods on it. */
export type ImpressionsMiddleware = RequestHandler & TrackerMethods

/**
 * Express's middleware: gives every template `trackImpression`, through `res.locals`.
 *
 * @example
 * app.use(impressions()) // keys from ENS_API_KEY and CLOSIENT_API_KEY
 * @throws {ConfigurationError} if an option is wrong or no network is configured
 */
export function impressions(options: ImpressionsOptions<Request> = {}): ImpressionsMiddleware {
  const { methods, pageLoad, reply } = resolveTracker(options)
  const middleware = (req: Request, res: Response, next: NextFunction) => {
    const visibility = reply(req, req, req.body)
    if (visibility) {
      visibility.then((answer) => sendReply(res, answer)).catch(next)
      return
    }
    // Mounted twice, the first counts: two trackers would count one display twice.
    res.locals.trackImpression ??= pageLoad(req, res, req)
    next()
  }
  return Object.assign(middleware, pickMethods(methods))
}
