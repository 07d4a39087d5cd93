import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { createRequire } from 'node:module'
import type { Reply } from './reply.js'

const YEAR_S = 31_536_000

/** The browser's half, as it is served. */
export class ClientScript {
  // Test runners that compile modules themselves leave out import.meta.resolve.
  readonly #source = readFileSync(createRequire(import.meta.url).resolve('#client-script'))
  readonly #hash = createHash('sha256').update(this.#source).digest('base64url').slice(0, 16)

  /** Its address below `url`: another one for each version, so that it can be kept for good. */
  address(url: string): string {
    return `${url}?v=${this.#hash}`
  }

  /** @param query what it was asked with */
  reply(query: string | undefined, headers: IncomingHttpHeaders): Reply {
    const etag = `"${this.#hash}"`
    const common = {
      etag,
      // Under another address it may be another version tomorrow.
      'cache-control':
        query === `v=${this.#hash}` ? `public, max-age=${YEAR_S}, immutable` : 'no-cache',
    }
    const known = headers['if-none-match']?.split(',').map((tag) => tag.trim().replace(/^W\//, ''))
    if (known?.some((tag) => tag === etag || tag === '*')) return { status: 304, headers: common }
    return {
      status: 200,
      headers: {
        ...common,
        'content-type': 'text/javascript; charset=utf-8',
        'content-length': String(this.#source.length),
        'x-content-type-options': 'nosniff',
      },
      body: this.#source,
    }
  }
}
