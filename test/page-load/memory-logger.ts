import type { Logger } from '../../lib/logger.js'

/** Creates a logger that adds each message to `lines`. */
export function createMemoryLogger(lines: string[]): Logger {
  const add = (_fields: Record<string, unknown>, message: string) => void lines.push(message)
  return { debug: add, warn: add, error: add }
}
