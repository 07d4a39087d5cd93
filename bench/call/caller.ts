/** The process that calls: `caller.js SINK_URLS_AS_JSON`. */
import { GCProfiler, getHeapStatistics } from 'node:v8'
import { answerParent } from '../child.js'
import { type CaseName, callCases, type SinkUrls } from './call-cases.js'

const urls: SinkUrls = JSON.parse(process.argv[2] ?? '{}')
const cases = await callCases(urls)

const answers = {
  /** Nanoseconds a call, with what is collected meanwhile of what the calls have allocated. */
  async time({ name, pages }: { name: CaseName; pages: number }) {
    const prepared = cases[name](pages)
    // Twice, and what was made ready has left the young generation. A full collection would throw
    // away compiled code as well.
    for (let time = 0; time < 2; time += 1) globalThis.gc?.({ type: 'minor' })
    const start = process.hrtime.bigint()
    prepared.run()
    const ns = process.hrtime.bigint() - start
    await prepared.after()
    return Number(ns) / prepared.calls
  },
  /**
   * Bytes allocated a call: what the heap has grown by where nothing was collected meanwhile, for
   * which the young generation must be large; `undefined` where something was.
   */
  async allocate({ name, pages }: { name: CaseName; pages: number }) {
    const prepared = cases[name](pages)
    const empty = grown(() => {})
    const bytes = grown(() => prepared.run())
    await prepared.after()
    if (empty === undefined || bytes === undefined) return undefined
    return (bytes - empty) / prepared.calls
  },
}

/** Bytes by which the heap grows, what looking at it takes included. */
function grown(run: () => void): number | undefined {
  globalThis.gc?.()
  const profiler = new GCProfiler()
  profiler.start()
  const before = getHeapStatistics().used_heap_size
  run()
  const after = getHeapStatistics().used_heap_size
  return profiler.stop()?.statistics.length === 0 ? after - before : undefined
}

export type CallerAnswers = typeof answers

answerParent(answers)
