import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'undici'
import { BROWSER } from './browser.js'

export interface OpenLoop {
  /** Of each request that was answered, from when it was due to be sent to its last byte. */
  readonly latenciesMs: readonly number[]
  /** The pages that were answered, by their place in the order in which they were due. */
  readonly answered: readonly number[]
  /** As `performance.now()`. */
  readonly lastAnswerMs: number
}

export interface OpenLoopOptions {
  readonly url: string
  readonly perSecond: number
  readonly seconds: number
  /** The path of one page. */
  readonly pathOf?: (page: number) => string
}

/**
 * Requests at a fixed rate, whether or not the ones before were answered. A request that leaves late
 * counts from when it was due, so that no slow answer hides the wait of those behind it.
 */
export async function openLoop(options: OpenLoopOptions): Promise<OpenLoop> {
  const { url, perSecond, seconds, pathOf = () => '/' } = options
  const pool = new Pool(url)
  const latenciesMs: number[] = []
  const answered: number[] = []
  const underWay: Promise<void>[] = []
  let lastAnswerMs = Number.NaN
  const startMs = performance.now()
  const pages = Math.round(perSecond * seconds)

  async function load(page: number, dueMs: number): Promise<void> {
    try {
      const { statusCode, body } = await pool.request({
        method: 'GET',
        path: pathOf(page),
        headers: BROWSER,
      })
      await body.dump()
      if (statusCode !== 200) return
      lastAnswerMs = performance.now()
      latenciesMs.push(lastAnswerMs - dueMs)
      answered.push(page)
    } catch {
      // The server was stopped meanwhile: this page was never shown.
    }
  }

  for (let page = 0; page < pages; page += 1) {
    const dueMs = startMs + (page * 1_000) / perSecond
    const waitMs = dueMs - performance.now()
    if (waitMs > 0) await sleep(waitMs)
    underWay.push(load(page, dueMs))
  }
  await Promise.all(underWay)
  await pool.destroy()
  return { latenciesMs, answered, lastAnswerMs }
}
