import assert from 'node:assert/strict'
import type { ScriptedCall } from '../scripted-transport.js'

/** A network that counts each call some time between its begin and its end. */
export class CountingNetwork {
  readonly windows: readonly { readonly limit: number; readonly windowMs: number }[]
  readonly #calls: { readonly beganMs: number; readonly endsMs: number }[] = []

  constructor(windows: CountingNetwork['windows']) {
    this.windows = windows
  }

  /** @param durationMs how long it takes to answer, or to count the call of a process that died */
  receive({ atMs }: ScriptedCall, durationMs: number): void {
    this.#calls.push({ beganMs: atMs, endsMs: atMs + durationMs })
  }

  get calls(): number {
    return this.#calls.length
  }

  /** @param random chooses when each call is counted */
  assertWithinWindows(random: () => number): void {
    for (const share of [() => 0, () => 1, random, random]) {
      const countedMs = this.#calls
        .map(({ beganMs, endsMs }) => beganMs + (endsMs - beganMs) * share())
        .sort((one, other) => one - other)
      for (const { limit, windowMs } of this.windows) {
        const isExceeded = countedMs.some((atMs, index) => {
          const next = countedMs[index + limit]
          return next !== undefined && next - atMs < windowMs
        })
        assert(!isExceeded, `more than ${limit} calls in ${windowMs} ms`)
      }
    }
  }
}
