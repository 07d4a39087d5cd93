import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Request headers of a browser, so that requests are not treated as a bot's. */
export const BROWSER_HEADERS = {
  'user-agent':
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36',
  accept: 'text/html',
}

/** A program of this repository, started with one npm command and without API keys. */
export class NpmProgram implements AsyncDisposable {
  readonly lines: string[] = []
  readonly #child: ChildProcess
  readonly #exit: Promise<unknown[]>
  #ended = false
  #waiters: (() => void)[] = []

  /**
   * @param command the arguments of `npm run`
   * @param variables environment variables to set. By default it selects free ports.
   */
  constructor(command: string, variables: Readonly<Record<string, string>> = {}) {
    const { ENS_API_KEY: _ens, CLOSIENT_API_KEY: _closient, ...env } = process.env
    // Skips the `pre` scripts, because the package is built already. Runs in its own process group,
    // as in a terminal.
    this.#child = spawn('npm', ['run', '--silent', '--ignore-scripts', ...command.split(' ')], {
      cwd: ROOT,
      env: { ...env, PORT: '0', METRICS_PORT: '0', ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    this.#exit = once(this.#child, 'close').finally(() => {
      this.#ended = true
      this.#notifyWaiters()
    })
    for (const output of [this.#child.stdout, this.#child.stderr]) {
      if (!output) continue
      createInterface(output).on('line', (line) => {
        this.lines.push(line)
        this.#notifyWaiters()
      })
    }
  }

  /** Waits for the first line that matches. Returns its first group, or the line if it has none. */
  async waitForLine(pattern: RegExp): Promise<string> {
    const [line] = await this.waitForLines(pattern, 1)
    return line ?? ''
  }

  /** Waits for the first `count` lines that match. */
  async waitForLines(pattern: RegExp, count: number): Promise<string[]> {
    for (;;) {
      const matches = this.lines.flatMap((line) => {
        const match = pattern.exec(line)
        return match ? [match[1] ?? line] : []
      })
      if (matches.length >= count) return matches.slice(0, count)
      if (this.#ended) {
        throw new Error(`the program ended without printing ${pattern}:\n${this.lines.join('\n')}`)
      }
      await new Promise<void>((resolve) => this.#waiters.push(resolve))
    }
  }

  /** Sends a signal to the whole process group, as Ctrl-C does. @returns the exit code */
  async stop(signal: 'SIGINT' | 'SIGTERM'): Promise<unknown> {
    this.#sendSignal(signal)
    return this.waitForExit()
  }

  async waitForExit(): Promise<unknown> {
    const [code] = await this.#exit
    return code
  }

  /** Closes the pipe that the program prints to. */
  closeOutput(): void {
    this.#child.stdout?.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return
    this.#sendSignal('SIGKILL')
    await this.#exit
  }

  #sendSignal(signal: NodeJS.Signals): void {
    if (this.#child.pid !== undefined) process.kill(-this.#child.pid, signal)
  }

  #notifyWaiters(): void {
    for (const notify of this.#waiters.splice(0)) notify()
  }
}

/** The visible text of a page, without tags, scripts and comments. */
export function extractText(html: string): string {
  return html
    .replace(/<(head|title|script|style)\b.*?<\/\1>/gs, '')
    .replace(/<!--.*?-->|<!doctype[^>]*>/gis, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
}

/** An impression in the sandbox's list. */
export interface ListedImpression {
  readonly at: number
  readonly call: number
  readonly campaignId?: string | number
  readonly [field: string]: unknown
}

interface NetworkReport {
  readonly totals: { readonly impressions: number }
  readonly impressions: readonly ListedImpression[]
}

/** Waits until the sandbox at `url` has counted `count` impressions. Returns all of them. */
export async function waitForImpressions(
  url: string,
  network: 'ens' | 'closient' | 'acme',
  count: number,
): Promise<readonly ListedImpression[]> {
  for (;;) {
    const response = await fetch(`${url}/sandbox/${network}`)
    const report = (await response.json()) as NetworkReport
    if (report.totals.impressions >= count) return report.impressions
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
