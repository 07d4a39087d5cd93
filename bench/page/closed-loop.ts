import autocannon from 'autocannon'
import { BROWSER } from './browser.js'

export const CONNECTIONS = 32

export interface ClosedLoop {
  readonly requestsPerSecond: number
}

/** As many requests at once as there are connections, each sent when the last was answered. */
export async function closedLoop(url: string, requests: number): Promise<ClosedLoop> {
  const startMs = performance.now()
  const result = await autocannon({
    url,
    connections: CONNECTIONS,
    amount: requests,
    headers: BROWSER,
    // It notices only so often that all were answered.
    sampleInt: 10,
  })
  const seconds = (performance.now() - startMs) / 1_000
  const failed = result.errors + result.timeouts + result.non2xx
  if (failed > 0) throw new Error(`${failed} of ${requests} requests of ${url} failed`)
  return { requestsPerSecond: requests / seconds }
}
