import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { Writable } from 'node:stream'
import { promisify } from 'node:util'
import pino from 'pino'
import type { Clock } from '../lib/clock.js'
import { consoleLogger, createLog, type Log, type Logger, type LogKind } from '../lib/logger.js'
import { withoutAddress } from './docs-address.js'

/** A clock that moves only when `advance` is called, and then runs the tasks that are due. */
class ManualClock implements Clock {
  #nowMs = 0
  #tasks: { readonly atMs: number; readonly task: () => void }[] = []

  now = () => this.#nowMs
  wallNow = this.now
  defer = (task: () => void) => task()

  after(delayMs: number, task: () => void): () => void {
    const entry = { atMs: this.#nowMs + delayMs, task }
    this.#tasks.push(entry)
    return () => {
      this.#tasks = this.#tasks.filter((other) => other !== entry)
    }
  }

  get pendingCount(): number {
    return this.#tasks.length
  }

  advance(ms: number): void {
    this.#nowMs += ms
    const due = this.#tasks.filter(({ atMs }) => atMs <= this.#nowMs)
    this.#tasks = this.#tasks.filter((entry) => !due.includes(entry))
    for (const { task } of due) task()
  }
}

const MINUTE_MS = 60_000
const LEVELS = ['debug', 'warn', 'error'] as const
type Level = (typeof LEVELS)[number]

const run = promisify(execFile)
const DEBUG_PROGRAM = `
  import { systemClock } from './lib/clock.js'
  import { consoleLogger, createLog } from './lib/logger.js'
  createLog(consoleLogger, systemClock).debug(() => ({ kind: 'retry', message: 'one', fields: {} }))`

function createRecordedLog() {
  const lines: string[] = []
  const fields: Record<string, unknown>[] = []
  const createMethod = (level: string) => (logged: Record<string, unknown>, message: string) => {
    fields.push(logged)
    lines.push(`${level} ${withoutAddress(message)}`)
  }
  const logger: Logger = {
    debug: createMethod('debug'),
    warn: createMethod('warn'),
    error: createMethod('error'),
  }
  const clock = new ManualClock()
  return { log: createLog(logger, clock), lines, fields, clock }
}

describe('a kind of message', () => {
  it('is logged at once, with its kind and fields', () => {
    const { log, lines, fields } = createRecordedLog()
    log.warn('outbox-failed disk', 'the disk is full', { free: 0 })
    assert.deepEqual(lines, ['warn ad-impressions: the disk is full'])
    assert.deepEqual(fields, [{ kind: 'outbox-failed disk', free: 0 }])
  })

  it('is logged once a minute, even if the messages differ', () => {
    const { log, lines, clock } = createRecordedLog()
    log.warn('outbox-failed disk', 'one')
    log.warn('outbox-failed disk', 'two')
    clock.advance(MINUTE_MS - 1)
    log.warn('outbox-failed disk', 'three')
    assert.deepEqual(lines, ['warn ad-impressions: one'])
  })

  it('is logged again after a minute, with the number of suppressed messages', () => {
    const { log, lines, clock } = createRecordedLog()
    for (let i = 0; i < 4; i += 1) log.error('outbox-failed disk', 'the disk is full')
    clock.advance(MINUTE_MS)
    assert.deepEqual(lines.slice(1), [
      'error ad-impressions: the disk is full (3 of this kind in the last minute)',
    ])
  })

  it('is not logged again after a minute if nothing was suppressed', () => {
    const { log, lines, clock } = createRecordedLog()
    log.warn('outbox-failed disk', 'the disk is full')
    clock.advance(MINUTE_MS)
    assert.equal(lines.length, 1)
    assert.equal(clock.pendingCount, 0)
  })

  it('keeps its length, however many minutes it repeats', () => {
    const { log, lines, clock } = createRecordedLog()
    for (let minute = 0; minute < 60; minute += 1) {
      for (let i = 0; i < 3; i += 1) log.warn('outbox-failed disk', 'the disk is full')
      clock.advance(MINUTE_MS)
    }
    assert.match(lines.at(-1) ?? '', /^warn ad-impressions: the disk is full \(3 of [^()]+\)$/)
    assert.ok(lines.length <= 61, `${lines.length} lines in an hour`)
  })

  it('is logged with the last count, and then not again', () => {
    const { log, lines, clock } = createRecordedLog()
    log.warn('outbox-failed disk', 'the disk is full')
    log.warn('outbox-failed disk', 'the disk is full')
    for (let minute = 0; minute < 10; minute += 1) clock.advance(MINUTE_MS)
    assert.equal(lines.length, 2)
    assert.equal(clock.pendingCount, 0)
  })

  it('ends with the address of the section about its code, or about its reason', () => {
    const lines: string[] = []
    const add = (_fields: object, line: string) => void lines.push(line)
    const log = createLog({ debug: add, warn: add, error: add }, new ManualClock())
    log.error('outbox-failed ens', 'the disk is full')
    log.warn('expired ens', 'it waited')
    log.warn('http-502 uncertain ens', 'bad gateway')
    assert.deepEqual(lines, [
      'ad-impressions: the disk is full (docs/log-messages.md#outbox-failed)',
      'ad-impressions: it waited (docs/reasons.md#expired)',
      'ad-impressions: bad gateway (docs/reasons.md#http-status)',
    ])
  })

  it('does not suppress another kind', () => {
    const { log, lines } = createRecordedLog()
    log.warn('outbox-failed disk', 'the disk is full')
    log.warn('outbox-failed tape', 'the tape is full')
    assert.equal(lines.length, 2)
  })

  it('is one of at most 1,000 a minute, and the rest share a kind', () => {
    const { log, lines, fields, clock } = createRecordedLog()
    for (let i = 0; i < 5_000; i += 1) log.warn(`retry ${i}`, 'hello')
    assert.equal(lines.length, 1_001)
    assert.equal(fields.at(-1)?.kind, 'other kinds')
    assert.equal(clock.pendingCount, 1_001)
    clock.advance(MINUTE_MS)
    assert.match(lines.at(-1) ?? '', /hello \(3999 of this kind in the last minute\)$/)
  })
})

function writeTo(log: Log, level: Level, kind: LogKind, message: string): void {
  if (level === 'debug') log.debug?.(() => ({ kind, message, fields: {} }))
  else log[level](kind, message)
}

describe('a logger', () => {
  for (const level of LEVELS) {
    it(`is called for ${level}, as a method`, () => {
      const logger = {
        lines: [] as string[],
        debug(_fields: object, message: string) {
          this.lines.push(`debug ${withoutAddress(message)}`)
        },
        warn(_fields: object, message: string) {
          this.lines.push(`warn ${withoutAddress(message)}`)
        },
        error(_fields: object, message: string) {
          this.lines.push(`error ${withoutAddress(message)}`)
        },
      }
      writeTo(createLog(logger, new ManualClock()), level, 'retry', 'hello')
      assert.deepEqual(logger.lines, [`${level} ad-impressions: hello`])
    })

    it(`that throws on ${level} causes no error, then or a minute later`, () => {
      const fail = () => {
        throw new Error('the log is down')
      }
      const clock = new ManualClock()
      const log = createLog({ debug: fail, warn: fail, error: fail }, clock)
      writeTo(log, level, 'retry', 'hello')
      writeTo(log, level, 'retry', 'hello')
      clock.advance(MINUTE_MS)
    })
  }

  it('that returns a rejected promise causes no unhandled rejection', async () => {
    const fail = async () => {
      throw new Error('the log is down')
    }
    const log = createLog({ debug: fail, warn: fail, error: fail }, new ManualClock())
    const unhandled: unknown[] = []
    const addReason = (reason: unknown) => void unhandled.push(reason)
    process.on('unhandledRejection', addReason)
    try {
      log.error('retry', 'hello')
      await new Promise((resolve) => setImmediate(resolve))
      await new Promise((resolve) => setImmediate(resolve))
    } finally {
      process.off('unhandledRejection', addReason)
    }
    assert.deepEqual(unhandled, [])
  })

  it('can be pino', () => {
    const lines: string[] = []
    const stream = new Writable({
      write(chunk, _encoding, done) {
        lines.push(String(chunk))
        done()
      },
    })
    const log = createLog(
      pino({ level: 'debug', base: null, timestamp: false }, stream),
      new ManualClock(),
    )
    writeTo(log, 'debug', 'retry a', 'one')
    log.warn('retry b', 'two', { network: 'ens' })
    log.error('retry c', 'three')
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)),
      [
        { level: 20, kind: 'retry a', msg: 'ad-impressions: one (docs/log-messages.md#retry)' },
        {
          level: 40,
          kind: 'retry b',
          network: 'ens',
          msg: 'ad-impressions: two (docs/log-messages.md#retry)',
        },
        { level: 50, kind: 'retry c', msg: 'ad-impressions: three (docs/log-messages.md#retry)' },
      ],
    )
  })

  it('gets 100 debug messages a minute, and then the number of those that were omitted', () => {
    const { log, lines, clock } = createRecordedLog()
    for (let n = 0; n < 150; n += 1) writeTo(log, 'debug', 'retry', `message ${n}`)
    assert.equal(lines.length, 100)
    clock.advance(MINUTE_MS)
    writeTo(log, 'debug', 'retry', 'one')
    writeTo(log, 'debug', 'retry', 'two')
    assert.deepEqual(lines.slice(100), [
      'debug ad-impressions: one (50 debug messages were omitted before)',
      'debug ad-impressions: two',
    ])
  })

  it('causes no work for a debug message that is omitted', () => {
    const { log } = createRecordedLog()
    let created = 0
    const create = () => {
      created += 1
      return { kind: 'retry' as const, message: 'hello', fields: {} }
    }
    for (let n = 0; n < 150; n += 1) log.debug?.(create)
    assert.equal(created, 100)
  })

  it('gets debug messages of one kind each by itself', () => {
    const { log, lines } = createRecordedLog()
    for (const name of ['one', 'two', 'three']) writeTo(log, 'debug', 'retry', name)
    assert.deepEqual(
      lines,
      ['one', 'two', 'three'].map((name) => `debug ad-impressions: ${name}`),
    )
  })

  it('is not asked to write debug messages that it says it omits', () => {
    const stream = new Writable()
    const logger = pino({ level: 'info' }, stream)
    const log = createLog(logger, new ManualClock())
    assert.equal(log.debug, undefined)
    logger.level = 'debug'
    assert.equal(typeof log.debug, 'function')
    const isLevelEnabled = () => {
      throw new Error('the log is down')
    }
    const broken = { debug() {}, warn() {}, error() {}, isLevelEnabled }
    assert.equal(createLog(broken, new ManualClock()).debug, undefined)
  })

  it('that is the console writes debug messages with NODE_DEBUG=ad-impressions', async () => {
    const { stdout } = await run(process.execPath, ['--import=tsx', '--eval', DEBUG_PROGRAM], {
      env: { ...process.env, NODE_DEBUG: 'ad-impressions' },
    })
    assert.match(stdout, /^ad-impressions: one \(docs\/log-messages\.md#retry\)$/m)
  })

  it('is the console by default, without debug messages', () => {
    const { debug, info, log, warn, error } = console
    const lines: unknown[][] = []
    const createMethod =
      (level: string) =>
      (...args: unknown[]) =>
        void lines.push([level, ...args])
    Object.assign(console, {
      debug: createMethod('debug'),
      info: createMethod('info'),
      log: createMethod('log'),
      warn: createMethod('warn'),
      error: createMethod('error'),
    })
    try {
      const toConsole = createLog(consoleLogger, new ManualClock())
      writeTo(toConsole, 'debug', 'retry a', 'one')
      consoleLogger.debug({}, 'two')
      toConsole.warn('retry b', 'two', { network: 'ens' })
      toConsole.error('retry c', 'three')
    } finally {
      Object.assign(console, { debug, info, log, warn, error })
    }
    assert.deepEqual(lines, [
      ['warn', 'ad-impressions: two (docs/log-messages.md#retry)'],
      ['error', 'ad-impressions: three (docs/log-messages.md#retry)'],
    ])
  })
})
