import { Pool } from 'undici'
import { BROWSER } from './browser.js'

export const CONNECTIONS = 32

/** A browser's connections to a site. */
export function connect(url: string): Pool {
  return new Pool(url, { connections: CONNECTIONS, pipelining: 1 })
}

/**
 * As many requests at once as there are connections, each sent when the last was answered.
 *
 * @returns how many were answered per second
 * @throws {Error} if one was not
 */
export async function closedLoop(pool: Pool, requests: number): Promise<number> {
  const startMs = performance.now()
  let sent = 0
  async function loop(): Promise<void> {
    while (sent < requests) {
      sent += 1
      const { statusCode, body } = await pool.request({
        method: 'GET',
        path: '/',
        headers: BROWSER,
      })
      await body.dump()
      if (statusCode !== 200) throw new Error(`the page was answered with ${statusCode}`)
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, loop))
  return (requests * 1_000) / (performance.now() - startMs)
}
