import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'undici'
import { BROWSER_HEADERS } from './browser-headers.js'

export interface OpenLoopResult {
  /** For each answered request, the time from when it was due to its last byte. */
  readonly latenciesMs: readonly number[]
  /** The answered pages, by their index in the order in which they were due. */
  readonly answeredPages: readonly number[]
  /** A time of `performance.now()`. */
  readonly lastAnswerMs: number
}

export interface OpenLoopOptions {
  readonly url: string
  readonly perSecond: number
  readonly seconds: number
  readonly createPath?: (page: number) => string
}

/**
 * Sends requests at a fixed rate, whether or not earlier ones were answered. A late request counts
 * from when it was due, so that a slow answer does not hide the wait of those behind it.
 */
export async function runOpenLoop(options: OpenLoopOptions): Promise<OpenLoopResult> {
  const { url, perSecond, seconds, createPath = () => '/' } = options
  const pool = new Pool(url)
  const latenciesMs: number[] = []
  const answeredPages: number[] = []
  let lastAnswerMs = Number.NaN

  async function load(page: number, dueMs: number): Promise<void> {
    try {
      const { statusCode, body } = await pool.request({
        method: 'GET',
        path: createPath(page),
        headers: BROWSER_HEADERS,
      })
      await body.dump()
      if (statusCode !== 200) return
      lastAnswerMs = performance.now()
      latenciesMs.push(lastAnswerMs - dueMs)
      answeredPages.push(page)
    } catch {
      // The server was stopped meanwhile, so this page was never displayed.
    }
  }

  const loads: Promise<void>[] = []
  const startMs = performance.now()
  for (let page = 0; page < Math.round(perSecond * seconds); page += 1) {
    const dueMs = startMs + (page * 1_000) / perSecond
    const waitMs = dueMs - performance.now()
    if (waitMs > 0) await sleep(waitMs)
    loads.push(load(page, dueMs))
  }
  await Promise.all(loads)
  await pool.destroy()
  return { latenciesMs, answeredPages, lastAnswerMs }
}
