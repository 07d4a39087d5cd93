import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { request } from 'undici'
import type { Stats } from '../../../lib/counting/statistics.js'
import { describeError } from '../../../lib/errors.js'
import { startSandbox } from '../../../lib/sandbox/sandbox.js'
import {
  type FleetMessage,
  type FleetOutcome,
  type FleetRequest,
  type FleetSettings,
  formatClosientId,
} from './fleet-messages.js'

const PROGRAM = fileURLToPath(new URL('fleet-app.ts', import.meta.url))
/** Whoever waits for longer waits in vain, and must end the processes. */
const PATIENCE_MS = 240_000
/** How long the networks take for an answer. */
const ANSWER_DELAY_MS = 100
/** The longest that a process takes for an answer: `close()` may take half of it. */
const ANSWER_MS = 60_000

const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

/** Impressions of a page: one of ENS, and the others of Closient. */
export const PER_PAGE = 20

/** One process of a `RealFleet`. */
export class FleetApp {
  readonly #child: ChildProcess
  readonly #ended = new AbortController()
  #port = 0
  /** What nobody has waited for yet. */
  readonly #unread: FleetMessage[] = []
  readonly outcomes: FleetOutcome[] = []
  /** How many impressions it has displayed. */
  displayed = 0
  /** The campaigns that it reported as stored. */
  readonly stored = new Set<string | number>()
  isKilled = false

  constructor(settings: FleetSettings) {
    this.#child = fork(PROGRAM, [JSON.stringify(settings)], { execArgv: ['--import', 'tsx'] })
    this.#child.once('exit', (code, signal) => {
      this.#ended.abort(new Error(`the process ended with ${code ?? signal}`))
    })
    this.#child.on('message', (message: FleetMessage) => this.#onMessage(message))
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

  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    if (signal === 'SIGKILL') this.isKilled = true
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

  #onMessage(message: FleetMessage): void {
    if (message.kind === 'outcome') this.outcomes.push(message)
    else if (message.kind === 'stored') for (const id of message.campaignIds) this.stored.add(id)
    else this.#unread.push(message)
  }

  async #ask<Kind extends FleetMessage['kind']>(question: FleetRequest, kind: Kind) {
    // A process that has ended does not answer, which `#receive` reports.
    this.#child.send(question, () => {})
    return await this.#receive(kind)
  }

  async #receive<Kind extends FleetMessage['kind']>(
    kind: Kind,
  ): Promise<Extract<FleetMessage, { kind: Kind }>> {
    const isWanted = (message: FleetMessage): message is Extract<FleetMessage, { kind: Kind }> =>
      message.kind === kind
    const signal = AbortSignal.any([this.#ended.signal, AbortSignal.timeout(ANSWER_MS)])
    while (true) {
      const message = this.#unread.find(isWanted)
      if (message) {
        this.#unread.splice(this.#unread.indexOf(message), 1)
        return message
      }
      await once(this.#child, 'message', { signal }).catch(() => {
        throw new Error(`no '${kind}' from the process: ${describeError(signal.reason)}`)
      })
    }
  }
}

/** Several processes of a site that share an outbox, and the networks that they call. */
export class RealFleet {
  readonly sandbox
  readonly apps: FleetApp[] = []
  readonly #settings: FleetSettings
  /** The campaigns of displayed pages, and which process displayed them. */
  readonly displayed = new Map<number, FleetApp>()
  /** The campaigns of pages that a process was killed over: they may count or not. */
  readonly interrupted = new Set<number>()
  #lastCampaign = 0
  readonly #giveUpAtMs = Date.now() + PATIENCE_MS

  private constructor(sandbox: Awaited<ReturnType<typeof startSandbox>>, settings: FleetSettings) {
    this.sandbox = sandbox
    this.#settings = settings
  }

  static async start(
    settings: Omit<FleetSettings, 'networks'>,
    processes: number,
  ): Promise<RealFleet> {
    const sandbox = await startSandbox()
    // At any time, calls are in flight.
    sandbox.ens.fault({ delayMs: ANSWER_DELAY_MS })
    sandbox.closient.fault({ delayMs: ANSWER_DELAY_MS })
    const fleet = new RealFleet(sandbox, { ...settings, networks: sandbox.env })
    try {
      // By itself, so that it is the first sender.
      await fleet.startApp()
      await Promise.all(Array.from({ length: processes - 1 }, () => fleet.startApp()))
    } catch (thrown) {
      await fleet.stop()
      throw thrown
    }
    return fleet
  }

  async startApp(): Promise<FleetApp> {
    const app = new FleetApp(this.#settings)
    this.apps.push(app)
    await app.whenListening()
    return app
  }

  /**
   * Displays pages in `app`, one after the other, until `isDone`.
   *
   * @param maxUnstored the next page waits while more of the app's impressions are not stored
   */
  async load(
    app: FleetApp,
    isDone: () => boolean,
    maxUnstored = Number.POSITIVE_INFINITY,
  ): Promise<void> {
    while (!isDone() && !app.isKilled) {
      this.#checkPatience('all pages')
      if (app.displayed - app.stored.size > maxUnstored) await delay(1)
      else await this.#displayNext(app)
    }
  }

  async #displayNext(app: FleetApp): Promise<void> {
    const first = this.#lastCampaign + 1
    this.#lastCampaign += PER_PAGE
    const isDisplayed = await app.display(first)
    if (isDisplayed) app.displayed += PER_PAGE
    for (let campaign = first; campaign < first + PER_PAGE; campaign += 1) {
      if (isDisplayed) this.displayed.set(campaign, app)
      else this.interrupted.add(campaign)
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

  /** The id under which the network counts the displayed campaign. */
  getId(campaign: number): string | number {
    return campaign % PER_PAGE === 1 ? campaign : formatClosientId(campaign)
  }

  get running(): FleetApp[] {
    return this.apps.filter(({ isKilled }) => !isKilled)
  }

  /** Waits until nothing is pending in the whole fleet, and returns its figures. */
  async whenSettled(): Promise<Stats> {
    let stats: Stats | undefined
    while (true) {
      this.#checkPatience(`nothing pending: ${JSON.stringify(stats)}`)
      // Otherwise the sender waits for long to send full batches.
      await Promise.all(this.running.map((app) => app.flush()))
      // Each process then stores its latest figures.
      for (const app of this.running) stats = await app.fleetStats()
      const isPending = Object.values(stats ?? {}).some(({ held, pending }) => held + pending > 0)
      if (stats && !isPending) return stats
      await delay(200)
    }
  }

  /** Waits until so many impressions have been displayed. */
  async whenDisplayed(count: number): Promise<void> {
    while (this.displayed.size < count) {
      this.#checkPatience(`${count} impressions, ${this.displayed.size} displayed`)
      await delay(20)
    }
  }

  #checkPatience(awaited: string): void {
    if (Date.now() > this.#giveUpAtMs) throw new Error(`the fleet takes too long: no ${awaited}`)
  }

  async stop(): Promise<void> {
    for (const app of this.apps) await app.end()
    await this.sandbox.close()
  }
}
