import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { request } from 'undici'
import type { Stats } from '../../../lib/counting/statistics.js'
import { startSandbox } from '../../../lib/sandbox/sandbox.js'
import {
  type FleetMessage,
  type FleetRequest,
  type FleetSettings,
  formatClosientId,
} from './fleet-messages.js'

const PROGRAM = fileURLToPath(new URL('fleet-app.ts', import.meta.url))
/** Whoever waits for longer waits in vain, and must end the processes. */
const PATIENCE_MS = 240_000

const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

/** Impressions of a page: one of ENS, and the others of Closient. */
export const PER_PAGE = 20

/** One process of a `RealFleet`. */
export class FleetApp {
  readonly #child: ChildProcess
  readonly #ended = new AbortController()
  #port = 0
  readonly messages: FleetMessage[] = []
  killedAtMs: number | undefined

  constructor(settings: FleetSettings) {
    this.#child = fork(PROGRAM, [JSON.stringify(settings)], { execArgv: ['--import', 'tsx'] })
    this.#child.once('exit', (code) => {
      this.#ended.abort(new Error(`the process ended with ${code}`))
    })
    this.#child.on('message', (message: FleetMessage) => this.messages.push(message))
  }

  async whenListening(): Promise<void> {
    this.#port = (await this.#receive('listening')).port
  }

  /** Returns whether the page was displayed. */
  async display(firstCampaign: number): Promise<boolean> {
    const url = `http://127.0.0.1:${this.#port}/${firstCampaign}/${PER_PAGE}`
    try {
      const { body } = await request(url, { headers: { 'user-agent': BROWSER } })
      await body.text()
      return true
    } catch {
      return false
    }
  }

  get isKilled(): boolean {
    return this.killedAtMs !== undefined
  }

  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    if (signal === 'SIGKILL') this.killedAtMs = Date.now()
    this.#child.kill(signal)
  }

  async stats(): Promise<Stats> {
    return (await this.#ask('stats', 'stats')).stats
  }

  async fleetStats(): Promise<Stats | undefined> {
    return (await this.#ask('fleet-stats', 'fleet-stats')).stats
  }

  async flush(): Promise<void> {
    await this.#ask('flush', 'flushed')
  }

  /** Closes the tracker, and returns its last figures. */
  async close(): Promise<Stats> {
    const { stats, isClosed } = await this.#ask('close', 'closed')
    assert(isClosed, 'close() ran out of time')
    return stats
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }

  async #ask<Kind extends FleetMessage['kind']>(question: FleetRequest, kind: Kind) {
    const answer = this.#receive(kind)
    this.#child.send(question)
    return await answer
  }

  async #receive<Kind extends FleetMessage['kind']>(
    kind: Kind,
  ): Promise<Extract<FleetMessage, { kind: Kind }>> {
    const isWanted = (message: FleetMessage): message is Extract<FleetMessage, { kind: Kind }> =>
      message.kind === kind
    while (true) {
      const { signal } = this.#ended
      const [message] = (await once(this.#child, 'message', { signal })) as [FleetMessage]
      if (isWanted(message)) return message
    }
  }
}

/** Several processes of a site that share an outbox, and the networks that they call. */
export class RealFleet {
  readonly sandbox
  readonly apps: FleetApp[] = []
  readonly #settings: FleetSettings
  /** The campaigns of displayed pages: which process displayed them, and when. */
  readonly displayed = new Map<number, { readonly app: FleetApp; readonly atMs: number }>()
  #lastCampaign = 0
  readonly #giveUpAtMs = Date.now() + PATIENCE_MS

  private constructor(sandbox: Awaited<ReturnType<typeof startSandbox>>, settings: FleetSettings) {
    this.sandbox = sandbox
    this.#settings = settings
  }

  static async start(
    settings: Pick<FleetSettings, 'engine' | 'leaseMs'>,
    processes: number,
  ): Promise<RealFleet> {
    const sandbox = await startSandbox()
    const fleet = new RealFleet(sandbox, { ...settings, networks: sandbox.env })
    await Promise.all(Array.from({ length: processes }, () => fleet.startApp()))
    return fleet
  }

  async startApp(): Promise<FleetApp> {
    const app = new FleetApp(this.#settings)
    this.apps.push(app)
    await app.whenListening()
    return app
  }

  /** Displays pages in `app`, one after the other, until `isDone`. */
  async load(app: FleetApp, isDone: () => boolean): Promise<void> {
    while (!isDone() && !app.isKilled) {
      this.#checkPatience()
      const first = this.#lastCampaign + 1
      this.#lastCampaign += PER_PAGE
      if (!(await app.display(first))) continue
      for (let campaign = first; campaign < first + PER_PAGE; campaign += 1) {
        this.displayed.set(campaign, { app, atMs: Date.now() })
      }
    }
  }

  /** How often the networks counted each campaign. */
  counted(): Map<string | number, number> {
    const counted = new Map<string | number, number>()
    const { ens, closient } = this.sandbox
    for (const { campaignId } of [...ens.impressions, ...closient.impressions]) {
      counted.set(campaignId, (counted.get(campaignId) ?? 0) + 1)
    }
    return counted
  }

  /** The campaigns that a process reported with any outcome but `delivered`. */
  notDelivered(): Map<string | number, string> {
    const outcomes = new Map<string | number, string>()
    for (const { messages } of this.apps) {
      for (const message of messages) {
        if (message.kind === 'outcome') outcomes.set(message.campaignId, message.outcome)
      }
    }
    return outcomes
  }

  /** The id under which the network counts the displayed campaign. */
  getId(campaign: number): string | number {
    return campaign % PER_PAGE === 1 ? campaign : formatClosientId(campaign)
  }

  /** Waits until nothing is pending in the whole fleet, and returns its figures. */
  async whenSettled(): Promise<Stats> {
    const running = this.apps.filter(({ isKilled }) => !isKilled)
    while (true) {
      this.#checkPatience()
      // Otherwise the sender waits for long to send full batches.
      await Promise.all(running.map((app) => app.flush()))
      const stats = await running[0]?.fleetStats()
      const isPending = Object.values(stats ?? {}).some(({ held, pending }) => held + pending > 0)
      if (stats && !isPending) return stats
      await delay(200)
    }
  }

  /** Waits until so many impressions have been displayed. */
  async whenDisplayed(count: number): Promise<void> {
    while (this.displayed.size < count) {
      this.#checkPatience()
      await delay(20)
    }
  }

  #checkPatience(): void {
    if (Date.now() > this.#giveUpAtMs) throw new Error('the fleet takes too long')
  }

  async stop(): Promise<void> {
    for (const app of this.apps) await app.end()
    await this.sandbox.close()
  }
}
