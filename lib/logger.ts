import { debuglog } from 'node:util'
import type { Clock } from './clock.js'
import { addAddress } from './docs-address.js'
import { findReasonSection, type ReasonCode } from './reason.js'

/** @inline */
type LogMethod = (fields: Record<string, unknown>, message: string) => void

/**
 * Where messages go. Has the shape of a pino logger: `(fields, message)`. If it has a method
 * `isLevelEnabled` that returns `false` for `'debug'`, no debug message is made.
 */
export interface Logger {
  /** Gets a line for each impression that was not delivered. */
  debug: LogMethod
  /** Gets what somebody should look at: invalid inputs, calls that fail. */
  warn: LogMethod
  /** Gets what somebody must repair: a wrong key, a failing outbox. */
  error: LogMethod
}

type Level = keyof Logger

/** The codes of messages that are not about a reason. docs/log-messages.md has a section for each. */
export const LOG_CODES = [
  // An app uses the library wrongly: see misuse.ts.
  'second-tracker',
  'koa-in-express',
  'express-in-koa',
  'no-response',
  'finished-page',
  'no-script',
  'script-not-loaded',
  'no-report',
  // Configuration and input
  'option-failed',
  'network-warning',
  'visibility-off',
  'unknown-field',
  'ignored-field',
  'script-nonce',
  'shared-response',
  'inspector-refused',
  // Delivery
  'retry',
  'gateway-suspect',
  'misconfigured',
  'unreadable-answer',
  'verdict-failed',
  'outbox-failed',
  'listener-failed',
] as const

/** The code of a message that is not about a reason: one of the list in docs/log-messages.md. */
export type LogCode = (typeof LOG_CODES)[number]

/**
 * The kind of a message: its code or that of its reason, and what else tells messages apart. It must
 * never contain text that a client chose.
 */
export type LogKind = WithDetails<LogCode | ReasonCode>

type WithDetails<Code extends string> = Code | `${Code} ${string}`

/** @inline */
type WriteMessage = (kind: LogKind, message: string, fields?: Record<string, unknown>) => void

/** A message of the level `debug`. */
export interface DebugMessage {
  /** The kind of the message. */
  readonly kind: LogKind
  /** Its text, without a prefix and without the address of its docs. */
  readonly message: string
  /** What the message says, for programs. */
  readonly fields: Record<string, unknown>
}

/**
 * The library's own log. Each kind of warning and error is logged at most once a minute, then with
 * the number of messages that were suppressed. Each message ends with the address of the section
 * about its code.
 */
export interface Log {
  /**
   * Logs 100 messages a minute, and makes no others. `undefined` if the logger omits debug messages.
   */
  readonly debug: ((create: () => DebugMessage) => void) | undefined
  /** Logs a warning. */
  readonly warn: WriteMessage
  /** Logs an error. */
  readonly error: WriteMessage
}

const nodeDebug = debuglog('ad-impressions')

/** Debug messages are omitted unless the environment has `NODE_DEBUG=ad-impressions`. */
export const consoleLogger: Logger = {
  debug(_fields, message) {
    if (nodeDebug.enabled) console.debug(message)
  },
  warn: (_fields, message) => console.warn(message),
  error: (_fields, message) => console.error(message),
}

const INTERVAL_MS = 60_000
/** Kinds beyond this many in a minute share one, so that memory stays bounded. */
const MAX_KINDS = 1_000
const OTHER_KINDS = 'other kinds'
/** Enough to see what is wrong; without a limit, anyone who floods the site floods the log. */
const MAX_DEBUG_MESSAGES = 100

/** A kind that was logged in the last minute, with its latest suppressed message. */
interface RecentKind {
  suppressedCount: number
  message: string
  fields: object
}

/** Wraps `logger` with the limit per kind. Errors that the logger throws are ignored. */
export function createLog(logger: Logger, clock: Clock): Log {
  const recentKinds = new Map<string, RecentKind>()

  /** @param repeats how many messages of this kind were suppressed, this one included */
  function write(level: Level, name: string, message: string, fields: object, repeats = 0): void {
    const kind = recentKinds.has(name) || recentKinds.size < MAX_KINDS ? name : OTHER_KINDS
    const recent = recentKinds.get(kind)
    if (recent) {
      recent.suppressedCount += 1
      recent.message = message
      recent.fields = fields
      return
    }
    startInterval(level, kind, name, { suppressedCount: 0, message, fields })
    const suffix = repeats > 0 ? ` (${repeats} of this kind in the last minute)` : ''
    callLogger(logger, level, { kind, ...fields }, formatLine(name, `${message}${suffix}`))
  }

  function startInterval(level: Level, kind: string, name: string, recent: RecentKind): void {
    clock.after(INTERVAL_MS, () => {
      recentKinds.delete(kind)
      const { suppressedCount, message, fields } = recent
      if (suppressedCount > 0) write(level, name, message, fields, suppressedCount)
    })
    // After the timer that ends the interval: without a timer, the kind would be silent for good.
    recentKinds.set(kind, recent)
  }

  let debugSinceMs = Number.NEGATIVE_INFINITY
  let debugCount = 0

  function writeDebug(create: () => DebugMessage): void {
    const nowMs = clock.now()
    const isNewInterval = nowMs - debugSinceMs >= INTERVAL_MS
    const omitted = isNewInterval ? debugCount - MAX_DEBUG_MESSAGES : 0
    if (isNewInterval) [debugSinceMs, debugCount] = [nowMs, 0]
    debugCount += 1
    if (debugCount > MAX_DEBUG_MESSAGES) return
    const { kind, message, fields } = create()
    const suffix = omitted > 0 ? ` (${omitted} debug messages were omitted before)` : ''
    callLogger(logger, 'debug', { kind, ...fields }, formatLine(kind, `${message}${suffix}`))
  }

  return {
    get debug() {
      return isDebugEnabled(logger) ? writeDebug : undefined
    },
    warn: (kind, message, fields = {}) => write('warn', kind, message, fields),
    error: (kind, message, fields = {}) => write('error', kind, message, fields),
  }
}

/** @param kind begins with the code of the message */
function formatLine(kind: string, message: string): string {
  const [code = ''] = kind.split(' ', 1)
  const line = `ad-impressions: ${message}`
  return LOG_CODES.some((logCode) => logCode === code)
    ? addAddress(line, 'log-messages', code)
    : addAddress(line, 'reasons', findReasonSection(code))
}

/** Whether the logger writes debug messages. The loggers of pino and winston can tell. */
function isDebugEnabled(logger: Logger & { isLevelEnabled?: (level: string) => unknown }): boolean {
  if (logger === consoleLogger) return nodeDebug.enabled
  try {
    return logger.isLevelEnabled?.('debug') !== false
  } catch {
    return false
  }
}

function callLogger(
  logger: Logger,
  level: Level,
  fields: Record<string, unknown>,
  line: string,
): void {
  try {
    // A method may return a promise despite its type. A rejection must not end the process.
    const result: unknown = logger[level](fields, line)
    if (result instanceof Promise) result.catch(() => {})
  } catch {
    // A failing logger must not break a page.
  }
}
