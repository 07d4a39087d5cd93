import { type ChildProcess, fork } from 'node:child_process'

/** What a child process offers its parent. Each method takes at most one argument. */
type RpcMethods = Readonly<Record<string, (argument: never) => unknown>>

interface RpcRequest {
  readonly id: number
  readonly method: string
  readonly argument: unknown
}

interface RpcResponse {
  readonly id: number
  readonly result?: unknown
  readonly error?: string
}

/** The id of the message that announces that the child is ready. */
const READY_ID = 0

/** In a child process: serves the parent's calls, and exits when the parent disconnects. */
export function serveParent(methods: RpcMethods): void {
  process.on('disconnect', () => process.exit())
  process.on('message', async ({ id, method, argument }: RpcRequest) => {
    try {
      const result = await methods[method]?.(argument as never)
      process.send?.({ id, result })
    } catch (thrown) {
      const error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
      process.send?.({ id, error })
    }
  })
  process.send?.({ id: READY_ID })
}

interface RpcChildOptions {
  readonly args?: readonly string[]
  /** Options of Node itself. */
  readonly nodeArgs?: readonly string[]
}

/** A child process whose methods can be called. */
export class RpcChild<Methods extends RpcMethods> {
  /** Resolves when the process has exited, with `performance.now()` of that moment. */
  readonly exitedAtMs: Promise<number>
  readonly #process: ChildProcess
  readonly #pendingCalls = new Map<number, (response: RpcResponse) => void>()
  readonly #ready: Promise<void>
  #lastId = READY_ID
  #stderrTail = ''

  private constructor(module: URL, { args = [], nodeArgs = [] }: RpcChildOptions) {
    this.#process = fork(module, args, {
      execArgv: [...nodeArgs],
      serialization: 'advanced',
      env: { ...process.env, NODE_ENV: 'production' },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    // Injected faults fill stderr, so it is not shown. Its end explains why a process exited.
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderrTail = (this.#stderrTail + text).slice(-2_000)
    })
    this.#ready = new Promise((resolve) => this.#pendingCalls.set(READY_ID, () => resolve()))
    this.#process.on('message', (response: RpcResponse) => {
      this.#pendingCalls.get(response.id)?.(response)
      this.#pendingCalls.delete(response.id)
    })
    this.exitedAtMs = new Promise((resolve) => {
      this.#process.once('exit', () => {
        resolve(performance.now())
        const error = `${module.pathname} exited: ${this.#stderrTail}`
        for (const [id, onResponse] of this.#pendingCalls) onResponse({ id, error })
      })
    })
  }

  /** Resolves when the process is ready for calls. */
  static async start<Methods extends RpcMethods>(
    module: URL,
    options: RpcChildOptions = {},
  ): Promise<RpcChild<Methods>> {
    const child = new RpcChild<Methods>(module, options)
    await child.#ready
    return child
  }

  /** @throws {Error} if the method fails, or if the process exits before it responds */
  async call<Name extends keyof Methods & string>(
    method: Name,
    ...[argument]: Parameters<Methods[Name]>
  ): Promise<Awaited<ReturnType<Methods[Name]>>> {
    this.#lastId += 1
    const id = this.#lastId
    const response = await new Promise<RpcResponse>((resolve) => {
      this.#pendingCalls.set(id, resolve)
      this.#process.send({ id, method, argument }, (error) => {
        if (error) resolve({ id, error: `${error.message}: ${this.#stderrTail}` })
      })
    })
    if (response.error !== undefined) throw new Error(response.error)
    // The child serves the methods that `Methods` was derived from.
    return response.result as Awaited<ReturnType<Methods[Name]>>
  }

  sendSignal(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.#process.kill(signal)
  }

  async stop(): Promise<void> {
    this.sendSignal('SIGKILL')
    await this.exitedAtMs
  }
}
