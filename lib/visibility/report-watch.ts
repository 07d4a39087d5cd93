import type { Clock } from '../clock.js'
import type { Misuse } from '../misuse.js'

/** So many pages of real browsers show at least one ad for a second. */
const MIN_ISSUED = 20
const MIN_WAIT_MS = 5 * 60_000

/** Notices that tokens are issued while no report arrives: then no visible impression counts. */
export class ReportWatch {
  readonly #clock: Pick<Clock, 'now'>
  readonly #misuse: Misuse
  #issued = 0
  #firstIssuedAtMs = 0
  #hasServedScript = false
  /** Whether a report has arrived, or the warning has been written. */
  #isDone = false

  constructor(clock: Pick<Clock, 'now'>, misuse: Misuse) {
    this.#clock = clock
    this.#misuse = misuse
  }

  onIssued(): void {
    if (this.#isDone) return
    const nowMs = this.#clock.now()
    if (this.#issued === 0) this.#firstIssuedAtMs = nowMs
    this.#issued += 1
    if (this.#issued < MIN_ISSUED || nowMs - this.#firstIssuedAtMs < MIN_WAIT_MS) return
    this.#isDone = true
    this.#misuse.report(this.#hasServedScript ? 'no-report' : 'script-not-loaded')
  }

  onScriptServed(): void {
    this.#hasServedScript = true
  }

  /** A report with a token of this site has arrived. Anyone can send others. */
  onReport(): void {
    this.#isDone = true
  }
}
