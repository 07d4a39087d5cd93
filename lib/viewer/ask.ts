import { messageOf } from '../errors.js'
import type { Log } from '../logger.js'

/**
 * Runs a function that the user configured. What it throws is logged and costs the page nothing.
 *
 * @returns `undefined` if it threw
 */
export function ask<Source>(
  option: string,
  answer: (source: Source) => unknown,
  source: Source,
  log: Log,
): unknown {
  try {
    return answer(source)
  } catch (thrown) {
    log.error(`option ${option} threw`, `the option ${option} threw: ${messageOf(thrown)}`)
    return undefined
  }
}
