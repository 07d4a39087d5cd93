import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { TrackImpression } from '../../lib/track-impression.js'
import type { ImpressionsOptions, TrackerMethods } from '../../lib/tracker.js'

/** One request, as a page sees it in any framework. */
export interface Visit {
  /** From where the framework's templates have it. */
  readonly trackImpression: TrackImpression
  readonly req: IncomingMessage
  readonly res: ServerResponse
  /** What the framework calls a request: Express's `Request`, Koa's `Context`. */
  readonly source: unknown
  /** Answers as one does in the framework. */
  answer(body: string | Buffer): void
  redirect(): void
}

export type Page = (visit: Visit) => void | Promise<void>

/** Functions of these options take whatever the framework gives them. */
export type Options = ImpressionsOptions<unknown>

/** Where the middleware made of the options at `of` is mounted: a part is a router or a sub-app. */
export interface Layer {
  readonly of: number
  readonly at: 'app' | 'part'
}

export interface App {
  readonly listener: RequestListener
  /** For HTTP/2, where the framework takes its requests as well. */
  readonly http2Listener?: (req: Http2ServerRequest, res: Http2ServerResponse) => void
  /** One for each of the options. */
  readonly trackers: readonly TrackerMethods[]
}

export interface Framework {
  readonly name: string
  readonly protocol: 'http1' | 'http2'
  /** Whether there is a middleware to mount; a bare server calls `pageLoad` itself. */
  readonly hasMiddleware: boolean
  /** An app that serves `page`, in its part, under every path. */
  build(options: readonly Options[], layers: readonly Layer[], page: Page): App
}

/** @throws where a layer names options that there are not */
export function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index]
  if (item === undefined) throw new RangeError(`there is no item ${index}`)
  return item
}
