import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { TrackImpression } from '../../lib/track-impression.js'
import type { ImpressionsOptions, TrackerMethods } from '../../lib/tracker.js'

/** One request, as a page handles it in any framework. */
export interface FrameworkVisit {
  /** Taken from where the framework's templates find it. */
  readonly trackImpression: TrackImpression
  readonly req: IncomingMessage
  readonly res: ServerResponse
  /** The framework's own request: Express's `Request`, Koa's `Context`. */
  readonly source: unknown
  /** Sends the body by the framework's own means. */
  answer(body: string | Buffer): void
  redirect(): void
}

export type FrameworkPage = (visit: FrameworkVisit) => void | Promise<void>

/** Options whose functions receive the framework's own request. */
export type FrameworkOptions = ImpressionsOptions<unknown>

/** Where a middleware is mounted. */
export interface Layer {
  /** The index of the options that the middleware is created from. */
  readonly optionsIndex: number
  /** `part`: a router or a sub-app. */
  readonly target: 'app' | 'part'
}

export interface App {
  readonly listener: RequestListener
  /** For HTTP/2, if the framework supports it. */
  readonly http2Listener?: (req: Http2ServerRequest, res: Http2ServerResponse) => void
  /** One for each of the options. */
  readonly trackers: readonly TrackerMethods[]
}

export interface Framework {
  readonly name: string
  readonly protocol: 'http1' | 'http2'
  /** Whether there is a middleware to mount. A server without a framework calls `pageLoad` itself. */
  readonly hasMiddleware: boolean
  /** Builds an app that serves `page` from its part, at every path. */
  build(options: readonly FrameworkOptions[], layers: readonly Layer[], page: FrameworkPage): App
}

/** @throws {RangeError} if there is no item at `index` */
export function getItem<Item>(items: readonly Item[], index: number): Item {
  const item = items[index]
  if (item === undefined) throw new RangeError(`there is no item ${index}`)
  return item
}
