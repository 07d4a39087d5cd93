import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import text from '#client-script'
import type { Reply } from '../request/reply.js'

const YEAR_S = 31_536_000
/** The endpoint as it is written in the client script. */
const ENDPOINT = "'/_visible'"

/** The client script as it is served, with a version in its URL. */
export class ClientScript {
  readonly #hash = createHash('sha256').update(text).digest('base64url').slice(0, 16)

  /** Adds the script's version to its URL, so that browsers may cache it forever. */
  addVersion(url: string): string {
    return `${url}?v=${this.#hash}`
  }

  /**
   * @param endpoint the path that receives reports: the script uses it where a loader hides its URL.
   *   It needs no escaping
   * @param query the request's query string, without `?`
   */
  reply(endpoint: string, query: string | undefined, headers: IncomingHttpHeaders): Reply {
    const etag = `"${this.#hash}"`
    const common = {
      etag,
      // Only the versioned URL is immutable; any other may serve a new version after an upgrade.
      'cache-control':
        query === `v=${this.#hash}` ? `public, max-age=${YEAR_S}, immutable` : 'no-cache',
    }
    const cached = headers['if-none-match']?.split(',').map((tag) => tag.trim().replace(/^W\//, ''))
    if (cached?.some((tag) => tag === etag || tag === '*')) return { status: 304, headers: common }
    const body = Buffer.from(text.replace(ENDPOINT, `'${endpoint}'`))
    return {
      status: 200,
      headers: {
        ...common,
        'content-type': 'text/javascript; charset=utf-8',
        'content-length': String(body.length),
        'x-content-type-options': 'nosniff',
      },
      body,
    }
  }
}
