import { Pool } from 'undici'
import { BROWSER_HEADERS } from './browser-headers.js'

export const CONNECTIONS = 32

/** The connections of browsers to one site. */
export function createBrowserPool(url: string): Pool {
  return new Pool(url, { connections: CONNECTIONS, pipelining: 1 })
}

/**
 * Keeps one request in flight on each connection. The next one is sent when the last was answered.
 *
 * @returns requests answered per second
 * @throws {Error} if an answer has another status than 200
 */
export async function runClosedLoop(pool: Pool, requests: number): Promise<number> {
  const startMs = performance.now()
  let sent = 0
  async function loop(): Promise<void> {
    while (sent < requests) {
      sent += 1
      const { statusCode, body } = await pool.request({
        method: 'GET',
        path: '/',
        headers: BROWSER_HEADERS,
      })
      await body.dump()
      if (statusCode !== 200) throw new Error(`the page was answered with status ${statusCode}`)
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, loop))
  return (requests * 1_000) / (performance.now() - startMs)
}
