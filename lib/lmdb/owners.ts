import { CURRENT_FIGURES, type Figures } from '../delivery/outbox/shared-figures.js'
import type { Owner, State } from './state.js'
import type { Tables } from './tables.js'

/** How long the last steps of past owners are remembered: a day. */
const PAST_OWNER_TTL_MS = 24 * 3_600_000

/** Who has a lease, and whose has ended: inside a write transaction. */
export class Owners {
  readonly #tables: Tables
  readonly #state: State
  readonly #nowMs: number

  constructor(tables: Tables, state: State, nowMs: number) {
    this.#tables = tables
    this.#state = state
    this.#nowMs = nowMs
  }

  /** `undefined` for an owner that is dead, and for one that is neither known nor new. */
  findOrRegister(name: string, isNew: boolean): Owner | undefined {
    const known = this.#state.owners.find((owner) => owner.name === name)
    if (known) return known.leaseUntilMs === undefined ? undefined : known
    if (!isNew) return undefined
    this.#state.lastOwner += 1
    const owner: Owner = { name, number: this.#state.lastOwner, step: 0, append: 0 }
    this.#state.owners.push(owner)
    return owner
  }

  renewLease(owner: Owner, leaseMs: number): void {
    owner.leaseUntilMs = this.#nowMs + leaseMs
    owner.isSpared = undefined
  }

  isAlive({ leaseUntilMs }: Owner): boolean {
    return leaseUntilMs !== undefined && leaseUntilMs > this.#nowMs
  }

  listOthers({ number }: Owner): Owner[] {
    return this.#state.owners.filter((other) => other.number !== number)
  }

  /** After an outage, others get a lease of at least `leaseMs`: see `ExchangeRequest.outageMs`. */
  spareOthers(owner: Owner, leaseMs: number, outageMs: number): void {
    const untilMs = this.#nowMs + leaseMs
    for (const other of this.listOthers(owner)) {
      const { leaseUntilMs = Number.NEGATIVE_INFINITY, isSpared } = other
      const hadLease = leaseUntilMs > this.#nowMs - outageMs
      if (isSpared || !hadLease || leaseUntilMs >= untilMs) continue
      other.leaseUntilMs = untilMs
      other.isSpared = true
    }
  }

  /** Others whose lease has ended. From now on they are dead: what is left of them is moved. */
  buryOthers(owner: Owner): Owner[] {
    const dead = this.listOthers(owner).filter((other) => !this.isAlive(other))
    for (const other of dead) {
      if (other.leaseUntilMs !== undefined) this.bury(other, this.#tables.figuresOf(other.number))
    }
    return dead
  }

  /** @param figures its last ones, which past owners' figures include from now on */
  bury(owner: Owner, figures: Figures): void {
    const lasting = Object.entries(figures).filter(([name]) => !CURRENT_FIGURES.includes(name))
    this.#tables.addPastFigures(owner.number, Object.fromEntries(lasting))
    this.#tables.forgetPastOwners(this.#nowMs)
    this.#tables.putPastOwner(owner, this.#nowMs + PAST_OWNER_TTL_MS)
    owner.leaseUntilMs = undefined
  }

  /** Nothing is left of the dead owner. */
  remove(owner: Owner): void {
    this.#tables.removeReceipts(owner.number)
    this.#state.owners = this.#state.owners.filter((other) => other !== owner)
  }
}
