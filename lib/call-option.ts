import { messageOf } from './errors.js'
import type { Log } from './logger.js'

/** What stands for an answer that never came; the log has said why. */
export const NO_ANSWER = Symbol('no answer')

/**
 * Runs a function that the user configured. What it throws is logged and costs the page nothing.
 *
 * @returns `NO_ANSWER` if it threw, or if it answered with a promise, which no page waits for
 */
export function ask<Source>(
  option: string,
  answer: (source: Source) => unknown,
  source: Source,
  log: Log,
): unknown {
  try {
    const answered = answer(source)
    if (!(answered instanceof Promise)) return answered
    // Unheard, its rejection would end the process.
    answered.catch(() => {})
    log.error(
      `option ${option} promises`,
      `the option ${option} answered with a promise, and is asked while the page renders: let a ` +
        'middleware wait for what it needs, and read that here',
    )
  } catch (thrown) {
    log.error(`option ${option} threw`, `the option ${option} threw: ${messageOf(thrown)}`)
  }
  return NO_ANSWER
}
