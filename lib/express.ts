import type { IncomingMessage, ServerResponse } from 'node:http'
// biome-ignore lint/suspicious/noTsIgnore: @ts-expect-error would fail where Express is installed
/** @ts-ignore a project of another framework must compile without Express, and does not use these types. */
import type { Request } from 'express'
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

/**
 * The middleware for Express, with the tracker's methods. Connect, Polka, Restify and all others that
 * call `(req, res, next)` accept it as well.
 */
export type ImpressionsMiddleware = ((
  req: IncomingMessage,
  res: ServerResponse,
  next: (error?: unknown) => void,
) => void) &
  TrackerMethods

type Locals = Partial<Pick<Express.Locals, 'trackImpression'>>
type Incoming = IncomingMessage & { readonly body?: unknown }
type Outgoing = ServerResponse & { locals?: Locals }

/**
 * Creates the middleware for Express, which makes `trackImpression` available to every template
 * through `res.locals`. Frameworks without `res.locals`, such as Connect and Polka, get one.
 *
 * @example
 * app.use(impressions()) // keys from ENS_API_KEY and CLOSIENT_API_KEY
 * @throws {ConfigurationError} if an option is invalid or no network is configured
 */
export function impressions(options: ImpressionsOptions<Request> = {}): ImpressionsMiddleware {
  const { methods, pageLoad, reply } = resolveTracker(options)
  const middleware = (req: Incoming, res: Outgoing, next: (error?: unknown) => void) => {
    // The request that the options' functions get. It is Express's wherever they read more of it.
    const source = req as Request
    const visibilityReply = reply(req, source, req.body)
    if (visibilityReply) {
      visibilityReply.then((response) => sendReply(res, response)).catch(next)
      return
    }
    res.locals ??= Object.create(null) as Locals
    // If two middlewares are mounted, the first one counts: both would count each display twice.
    res.locals.trackImpression ??= pageLoad(req, res, source)
    next()
  }
  return Object.assign(middleware, pickMethods(methods))
}
