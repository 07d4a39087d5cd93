import { type ChildProcess, fork } from 'node:child_process'

/** What a child process can be asked, by name. */
type Answers = Readonly<Record<string, (question: never) => unknown>>

interface Question {
  readonly id: number
  readonly name: string
  readonly question: unknown
}

interface Reply {
  readonly id: number
  readonly answer?: unknown
  readonly error?: string
}

/** In a child process: answers its parent, and ends with it. */
export function answerParent(answers: Answers): void {
  process.on('disconnect', () => process.exit())
  process.on('message', async ({ id, name, question }: Question) => {
    try {
      const answer = await answers[name]?.(question as never)
      process.send?.({ id, answer })
    } catch (thrown) {
      const error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
      process.send?.({ id, error })
    }
  })
  process.send?.({ id: 0 })
}

interface ChildOptions {
  readonly args?: readonly string[]
  /** Options of Node itself. */
  readonly nodeArgs?: readonly string[]
}

/** A process of its own, asked by messages. */
export class Child<Asked extends Answers> {
  /** Milliseconds, as `performance.now()`, at which it ended. */
  readonly exited: Promise<number>
  readonly #process: ChildProcess
  readonly #waiting = new Map<number, (reply: Reply) => void>()
  readonly #ready: Promise<void>
  #asked = 0
  #lastWords = ''

  private constructor(module: URL, { args = [], nodeArgs = [] }: ChildOptions) {
    this.#process = fork(module, args, {
      execArgv: [...nodeArgs],
      serialization: 'advanced',
      env: { ...process.env, NODE_ENV: 'production' },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    // What is said of faults that are meant is no part of any table, but tells why a process ended.
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#lastWords = (this.#lastWords + text).slice(-2_000)
    })
    this.#ready = new Promise((resolve) => this.#waiting.set(0, () => resolve()))
    this.#process.on('message', (reply: Reply) => {
      this.#waiting.get(reply.id)?.(reply)
      this.#waiting.delete(reply.id)
    })
    this.exited = new Promise((resolve) => {
      this.#process.once('exit', () => {
        resolve(performance.now())
        const error = `${module.pathname} has ended: ${this.#lastWords}`
        for (const [id, waiter] of this.#waiting) waiter({ id, error })
      })
    })
  }

  /** Resolves once the process answers. */
  static async start<Asked extends Answers>(
    module: URL,
    options: ChildOptions = {},
  ): Promise<Child<Asked>> {
    const child = new Child<Asked>(module, options)
    await child.#ready
    return child
  }

  async ask<Name extends keyof Asked & string>(
    name: Name,
    ...[question]: Parameters<Asked[Name]>
  ): Promise<Awaited<ReturnType<Asked[Name]>>> {
    this.#asked += 1
    const id = this.#asked
    const reply = await new Promise<Reply>((resolve) => {
      this.#waiting.set(id, resolve)
      this.#process.send({ id, name, question }, (error) => {
        if (error) resolve({ id, error: `${error.message}: ${this.#lastWords}` })
      })
    })
    if (reply.error !== undefined) throw new Error(reply.error)
    // The child's own type, which it answers by.
    return reply.answer as Awaited<ReturnType<Asked[Name]>>
  }

  signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.#process.kill(signal)
  }

  async stop(): Promise<void> {
    this.signal('SIGKILL')
    await this.exited
  }
}
