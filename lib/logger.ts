import type { Clock } from './clock.js'

type LogMethod = (fields: Record<string, unknown>, message: string) => void

/** Where messages go: shaped as pino's, `(fields, message)`. */
export interface Logger {
  debug: LogMethod
  warn: LogMethod
  error: LogMethod
}

type Level = keyof Logger

/**
 * What the library logs with: each kind of message at most once a minute, then how many were left
 * unsaid. A kind is never text that a client chose.
 */
export type Log = Readonly<
  Record<Level, (kind: string, message: string, fields?: Record<string, unknown>) => void>
>

export const consoleLogger: Logger = {
  debug: () => {},
  warn: (_fields, message) => console.warn(message),
  error: (_fields, message) => console.error(message),
}

const QUIET_MS = 60_000
/** Past this many kinds a minute the rest share one: what is remembered stays bounded. */
const MAX_KINDS = 1_000
const OTHER_KINDS = 'other kinds'

/** Wraps `logger` so that no kind of message floods it and a logger that throws harms nobody. */
export function createLog(logger: Logger, clock: Clock): Log {
  const quiet = new Map<string, { unsaid: number; message: string; fields: object }>()

  /** @param unsaid how many of this kind, this one included, were left unsaid until now */
  function say(level: Level, name: string, message: string, fields: object, unsaid = 0): void {
    const kind = quiet.has(name) || quiet.size < MAX_KINDS ? name : OTHER_KINDS
    const told = quiet.get(kind)
    if (told) {
      told.unsaid += 1
      told.message = message
      told.fields = fields
      return
    }
    const now = { unsaid: 0, message, fields }
    clock.after(QUIET_MS, () => {
      quiet.delete(kind)
      if (now.unsaid > 0) say(level, name, now.message, now.fields, now.unsaid)
    })
    // After the timer that ends it: without one, the kind would be quiet for good.
    quiet.set(kind, now)
    const more = unsaid > 0 ? ` (${unsaid} of this kind in the last minute)` : ''
    try {
      const said: unknown = logger[level]({ kind, ...fields }, `ad-impressions: ${message}${more}`)
      // A method may be async for all that its type says.
      if (said instanceof Promise) said.catch(() => {})
    } catch {
      // A page is never taken down by its ads, nor by the log line about them.
    }
  }

  return {
    debug: (kind, message, fields = {}) => say('debug', kind, message, fields),
    warn: (kind, message, fields = {}) => say('warn', kind, message, fields),
    error: (kind, message, fields = {}) => say('error', kind, message, fields),
  }
}
