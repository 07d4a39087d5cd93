import { setTimeout as delay } from 'node:timers/promises'
import type { Sandbox } from '../../lib/sandbox/sandbox.js'
import { createFaultCases } from './fault-cases.js'
import { NETWORKS } from './reconcile.js'

/** Real milliseconds after which every call that meets no fault has ended. */
const SETTLE_MS = 40

/** Applies faults to both networks of a sandbox at random. */
export class RandomFaults {
  readonly #sandbox: Sandbox
  readonly #random: () => number
  readonly #cases = createFaultCases(Date.now())
  /** Ends a refusal of connections. */
  #acceptConnections = async () => {}

  constructor(sandbox: Sandbox, random: () => number) {
    this.#sandbox = sandbox
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
  }

  /** Ends all faults. */
  async end(): Promise<void> {
    for (const network of NETWORKS) this.#sandbox[network].clearFaults()
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

  #addFault(): void {
    const fault = this.#cases[this.pick(this.#cases.length)]?.fault ?? {}
    for (const network of NETWORKS) {
      if (this.#random() < 0.7) this.#sandbox[network].fault(fault, { times: 1 + this.pick(4) })
    }
  }
}
