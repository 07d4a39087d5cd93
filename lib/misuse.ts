import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Log, LogCode } from './logger.js'

/**
 * Mistakes in how an app uses this library, which are only noticed while it runs: by code, with what
 * happens and what to do. docs/log-messages.md has a section for each.
 */
export const MISUSES = {
  'second-tracker':
    'trackImpression is set already for this request, by another tracker or by the app: that one ' +
    'counts, and the stats() of this tracker stay 0. Call impressions() once and use what it ' +
    'returns, or share one tracker with impressions({ tracker })',
  'koa-in-express':
    'the middleware of ad-impressions/koa is mounted in Express or Fastify: nothing is counted. Import ' +
    "impressions from 'ad-impressions' in Express, from 'ad-impressions/fastify' in Fastify",
  'express-in-koa':
    'the middleware of ad-impressions for Express is mounted in Koa: nothing is counted. Import ' +
    "impressions from 'ad-impressions/koa'",
  'no-response':
    "pageLoad(req, res) or the middleware for Express was called without Node's request and response: " +
    "nothing is counted. In Fastify, import impressions from 'ad-impressions/fastify'. To pageLoad, pass " +
    'ctx.req and ctx.res in Koa, request.raw and reply.raw in Fastify',
  'finished-page':
    'trackImpression was called long after its page had finished: it belongs to one request, whose ' +
    'campaigns count once. Do not keep it in a cache or a module, but read it in each request',
  'no-script':
    'a page uses whenVisible() without script(): no ad on it will count, unless the page loads the ' +
    'client script in another way. Print script() on the page',
  'script-not-loaded':
    'whenVisible() has issued tokens for minutes, and no browser has requested the client script: no ' +
    'ad counts. Check that pages print script(), that requests below visibility.path reach ' +
    'impressions(), and that the Content-Security-Policy allows the script',
  'no-report':
    'whenVisible() has issued tokens for minutes, and no report of a viewable ad has arrived, although ' +
    'browsers load the client script: no ad counts. Check that nothing in front of impressions() ' +
    'refuses POST requests to visibility.path, such as protection against CSRF or a login, and that ' +
    "the Content-Security-Policy allows connect-src 'self'",
} as const satisfies Partial<Record<LogCode, string>>

export type MisuseCode = keyof typeof MISUSES

/** Names each mistake once in the life of a tracker. */
export class Misuse {
  readonly #log: Log
  readonly #reported = new Set<MisuseCode>()

  constructor(log: Log) {
    this.#log = log
  }

  report(code: MisuseCode): void {
    if (this.#reported.has(code)) return
    this.#reported.add(code)
    this.#log.warn(code, `${code}: ${MISUSES[code]}`)
  }
}

/** Whether these are Node's request and response, and not a framework's own objects. */
export function isExchange(
  req: Partial<IncomingMessage> | undefined,
  res: Partial<ServerResponse> | undefined,
): boolean {
  return typeof req?.headers === 'object' && typeof res?.writeHead === 'function'
}
