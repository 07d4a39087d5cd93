import type { Logger } from '../../lib/logger.js'

/** Creates a logger that adds each warning and error to `lines`. */
export function createMemoryLogger(lines: string[]): Logger {
  const add = (_fields: Record<string, unknown>, message: string) => void lines.push(message)
  return { debug() {}, warn: add, error: add }
}
