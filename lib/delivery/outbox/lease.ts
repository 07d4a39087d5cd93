import type { Clock } from '../../clock.js'

/** When a lease ends, by `now()` and `wallNow()` of the clock: whichever is earlier. */
export interface LeaseEnd {
  readonly atMs: number
  readonly wallMs: number
}

const NO_LEASE: LeaseEnd = { atMs: Number.NEGATIVE_INFINITY, wallMs: Number.NEGATIVE_INFINITY }

/** This process's lease, as far as the store has confirmed it. */
export class Lease {
  readonly #clock: Clock
  readonly #leaseMs: number
  #end = NO_LEASE

  constructor(clock: Clock, leaseMs: number) {
    this.#clock = clock
    this.#leaseMs = leaseMs
  }

  /** Whether nobody else can have taken over from this process. */
  get isValid(): boolean {
    // The monotonic clock may stand still while the machine is suspended, and the other may be set.
    return this.#clock.now() < this.#end.atMs && this.#clock.wallNow() < this.#end.wallMs
  }

  /** When a lease ends that a step renews which begins now. */
  endIfRenewedNow(): LeaseEnd {
    const clock = this.#clock
    return { atMs: clock.now() + this.#leaseMs, wallMs: clock.wallNow() + this.#leaseMs }
  }

  /** The store has answered the step. */
  renew(end: LeaseEnd): void {
    this.#end = end
  }

  /** Others have taken over. */
  end(): void {
    this.#end = NO_LEASE
  }
}
