/** The process that makes the calls: `call-process.js SINK_URLS_AS_JSON`, with `--expose-gc`. */
import { GCProfiler, getHeapStatistics } from 'node:v8'
import { serveParent } from '../rpc-child.js'
import { type CaseName, createCallCases, type SinkUrls } from './call-cases.js'

const urls: SinkUrls = JSON.parse(process.argv[2] ?? '{}')
const cases = await createCallCases(urls)

interface CallSample {
  readonly name: CaseName
  readonly pages: number
}

const methods = {
  /** Nanoseconds per call, including the collection of what the calls allocate. */
  async measureTime({ name, pages }: CallSample): Promise<number> {
    const calls = cases[name](pages)
    // Two minor collections move the prepared objects out of the young generation. A full one
    // would also discard compiled code.
    for (let time = 0; time < 2; time += 1) globalThis.gc?.({ type: 'minor' })
    const start = process.hrtime.bigint()
    calls.run()
    const ns = process.hrtime.bigint() - start
    await calls.settle()
    return Number(ns) / calls.count
  },
  /** Bytes allocated per call. `undefined` if garbage was collected meanwhile. */
  async measureAllocation({ name, pages }: CallSample): Promise<number | undefined> {
    const calls = cases[name](pages)
    const baseline = measureHeapGrowth(() => {})
    const bytes = measureHeapGrowth(() => calls.run())
    await calls.settle()
    if (baseline === undefined || bytes === undefined) return undefined
    return (bytes - baseline) / calls.count
  },
}

/**
 * How many bytes the heap grows by while `run` executes, including what the measurement itself
 * allocates. `undefined` if garbage was collected meanwhile.
 */
function measureHeapGrowth(run: () => void): number | undefined {
  globalThis.gc?.()
  const profiler = new GCProfiler()
  profiler.start()
  const before = getHeapStatistics().used_heap_size
  run()
  const after = getHeapStatistics().used_heap_size
  return profiler.stop()?.statistics.length === 0 ? after - before : undefined
}

export type CallMethods = typeof methods

serveParent(methods)
