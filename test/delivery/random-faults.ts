import { setTimeout as delay } from 'node:timers/promises'
import type { Sandbox } from '../../lib/sandbox/sandbox.js'
import type { FastClock } from './fast-clock.js'
import { createFaultCases } from './fault-cases.js'
import { NETWORKS } from './reconcile.js'

/** Real milliseconds after which every call that meets no fault has ended. */
const SETTLE_MS = 40

/** Longer than a call may take. */
const STANDSTILL_MS = 90_000
const DAY_MS = 86_400_000

/** Applies faults to both networks of a sandbox, and to the tracker's process, at random. */
export class RandomFaults {
  readonly #sandbox: Sandbox
  readonly #clock: FastClock
  readonly #random: () => number
  readonly #cases = createFaultCases(Date.now())
  /** Ends a refusal of connections. */
  #acceptConnections = async () => {}
  #removeListener = () => {}

  constructor(sandbox: Sandbox, clock: FastClock, random: () => number) {
    this.#sandbox = sandbox
    this.#clock = clock
    this.#random = random
  }

  /** A random integer from 0 up to `limit`. */
  pick(limit: number): number {
    return Math.floor(this.#random() * limit)
  }

  /** Starts or ends a fault, or does nothing. */
  async change(): Promise<void> {
    const event = this.pick(20)
    if (event === 0) await this.#refuseConnections()
    else if (event <= 2) await this.#endRefusal()
    else if (event === 3) await this.#closeIdleConnections()
    else if (event === 4) this.#sandbox.closient.spend(this.pick(100))
    else if (event <= 12) this.#addFault()
    else if (event === 13) this.#clock.setWallClock((2 * this.#random() - 1) * DAY_MS)
    else if (event === 14) this.#standStillAtAnswer()
  }

  /** Ends all faults. */
  async end(): Promise<void> {
    for (const network of NETWORKS) this.#sandbox[network].clearFaults()
    this.#removeListener()
    await this.#endRefusal()
  }

  async #refuseConnections(): Promise<void> {
    await this.#endRefusal()
    await delay(SETTLE_MS)
    this.#acceptConnections = await this.#sandbox.refuse()
  }

  async #endRefusal(): Promise<void> {
    await this.#acceptConnections()
    this.#acceptConnections = async () => {}
  }

  async #closeIdleConnections(): Promise<void> {
    await delay(SETTLE_MS)
    await this.#sandbox.closeIdleConnections()
  }

  /** The process stands still until the next answer has waited in its socket for too long. */
  #standStillAtAnswer(): void {
    const name = NETWORKS[this.pick(NETWORKS.length)] ?? 'ens'
    this.#removeListener()
    this.#removeListener = this.#sandbox[name].on('end', () => {
      this.#removeListener()
      this.#clock.standStill(STANDSTILL_MS)
    })
  }

  #addFault(): void {
    const fault = this.#cases[this.pick(this.#cases.length)]?.fault ?? {}
    for (const network of NETWORKS) {
      if (this.#random() < 0.7) this.#sandbox[network].fault(fault, { times: 1 + this.pick(4) })
    }
  }
}
