import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** What a person's browser says: a User-Agent that names no robot. */
export const BROWSER = {
  'user-agent':
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36',
  accept: 'text/html',
}

/** A program of this repository, as a reader starts it: by one command, without a key. */
export class Started implements AsyncDisposable {
  readonly lines: string[] = []
  readonly #child: ChildProcess
  readonly #exit: Promise<unknown[]>
  #ended = false
  #waiters: (() => void)[] = []

  /**
   * @param command what stands behind `npm run`
   * @param variables set in its environment, on top of a port of its own choice
   */
  constructor(command: string, variables: Readonly<Record<string, string>> = {}) {
    const { ENS_API_KEY: _ens, CLOSIENT_API_KEY: _closient, ...env } = process.env
    // Without the scripts before it: they build, and here that is done. In a process group of its
    // own, as a terminal would have it.
    this.#child = spawn('npm', ['run', '--silent', '--ignore-scripts', ...command.split(' ')], {
      cwd: ROOT,
      env: { ...env, PORT: '0', ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    this.#exit = once(this.#child, 'close').finally(() => {
      this.#ended = true
      this.#wake()
    })
    for (const output of [this.#child.stdout, this.#child.stderr]) {
      if (!output) continue
      createInterface(output).on('line', (line) => {
        this.lines.push(line)
        this.#wake()
      })
    }
  }

  /** The first line that matches, once it is printed; what its first group is, if it has one. */
  async line(pattern: RegExp): Promise<string> {
    const [found] = await this.matching(pattern, 1)
    return found ?? ''
  }

  /** The first `count` lines that match, once they are printed. */
  async matching(pattern: RegExp, count: number): Promise<string[]> {
    for (;;) {
      const found = this.lines.flatMap((line) => {
        const match = pattern.exec(line)
        return match ? [match[1] ?? line] : []
      })
      if (found.length >= count) return found.slice(0, count)
      if (this.#ended) {
        throw new Error(`it ended without printing ${pattern}:\n${this.lines.join('\n')}`)
      }
      await new Promise<void>((resolve) => this.#waiters.push(resolve))
    }
  }

  /** Sends the signal to the whole group, as Ctrl-C does. @returns the exit code */
  async stop(signal: 'SIGINT' | 'SIGTERM'): Promise<unknown> {
    this.#signal(signal)
    return this.exitCode()
  }

  async exitCode(): Promise<unknown> {
    const [code] = await this.#exit
    return code
  }

  /** Closes the pipe that it prints to. */
  stopReading(): void {
    this.#child.stdout?.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return
    this.#signal('SIGKILL')
    await this.#exit
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#child.pid !== undefined) process.kill(-this.#child.pid, signal)
  }

  #wake(): void {
    for (const wake of this.#waiters.splice(0)) wake()
  }
}

/** What a reader of the page sees: its text, without tags, scripts and comments. */
export function textOf(html: string): string {
  return html
    .replace(/<(head|title|script|style)\b.*?<\/\1>/gs, '')
    .replace(/<!--.*?-->|<!doctype[^>]*>/gis, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
}

/** An impression as the sandbox lists it. */
export interface Arrived {
  readonly at: number
  readonly call: number
  readonly campaignId?: string | number
  readonly [field: string]: unknown
}

interface Ledger {
  readonly totals: { readonly impressions: number }
  readonly impressions: readonly Arrived[]
}

/** What the sandbox at `url` has counted for a network, once that is `count` impressions. */
export async function received(
  url: string,
  network: 'ens' | 'closient',
  count: number,
): Promise<readonly Arrived[]> {
  for (;;) {
    const answer = await fetch(`${url}/sandbox/${network}`)
    const ledger = (await answer.json()) as Ledger
    if (ledger.totals.impressions >= count) return ledger.impressions
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
