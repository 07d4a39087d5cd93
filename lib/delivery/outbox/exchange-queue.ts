import { randomBytes } from 'node:crypto'
import type { Clock } from '../../clock.js'
import { Lease, type LeaseEnd } from './lease.js'
import { type Operation, OperationQueue } from './operation-queue.js'
import type { Receipt } from './outbox.js'
import type { Figures } from './shared-figures.js'
import { SharedPause } from './shared-pause.js'
import {
  type ExchangeRequest,
  type ExchangeResponse,
  MAX_RECORDS,
  type NewRecord,
  type Store,
} from './store.js'

export interface ExchangeQueueDependencies {
  readonly store: Store
  readonly clock: Clock
  /** What is the same in every request. */
  readonly constants: Pick<
    ExchangeRequest,
    'leaseMs' | 'maxPending' | 'dedupeTtlMs' | 'callsTtlMs' | 'probeMs'
  >
  /** This process's figures once these operations are done. */
  readonly countFigures: (operations: readonly Operation[]) => Figures
  /** Called with each response, before the operations of its request. */
  readonly onResponse: (response: ExchangeResponse, request: ExchangeRequest) => void
  readonly onFailure: (thrown: unknown) => void
}

/**
 * Most calls that have begun and that the store is not known to have. When the sender dies, the next
 * one assumes that there were as many.
 */
export const MAX_UNCONFIRMED_CALLS = 4

/** The pause after a step failed. */
const RETRY_MS = 1_000
/** How many steps fit into a lease: a slow one does not end it. */
const STEPS_PER_LEASE = 4
/** How long after the last step one begins that is not urgent, so that pages share steps. */
const COLLECT_MS = 20
/** How often the sender looks for what other processes have appended. */
const POLL_MS = 100

/** A request until it is answered, and what it is for. */
interface PendingStep {
  readonly request: ExchangeRequest
  readonly operations: readonly Operation[]
  readonly createdAtMs: number
  /** Whether it was sent before, and not answered. */
  isRepeated: boolean
}

/**
 * Does one step of the store at a time, and collects operations for the next one meanwhile. A step
 * that fails is repeated as it is until it is answered, since it may have been done. Steps also
 * renew this process's lease.
 */
export class ExchangeQueue {
  readonly #dependencies: ExchangeQueueDependencies
  readonly #operations = new OperationQueue()
  readonly #lease: Lease
  readonly #pause: SharedPause
  #owner = createOwner()
  #isKnown = false
  #seenUpTo = 0
  #steps = 0
  #appends = 0
  /** Calls that no step has told the store. */
  #calls = 0
  #unanswered: PendingStep | undefined
  #isDeferred = false
  #isRunning = false
  #isLeaving = false
  #isStopped = false
  /** Until then, steps append nothing: the store had no memory for it. */
  #fullUntilMs = Number.NEGATIVE_INFINITY
  #lastStepAtMs = Number.NEGATIVE_INFINITY
  /** When the next step begins. */
  #dueAtMs = Number.POSITIVE_INFINITY
  #cancelTimer = () => {}
  #cancelPoll = () => {}
  #onLeft = () => {}

  constructor(dependencies: ExchangeQueueDependencies) {
    this.#dependencies = dependencies
    this.#lease = new Lease(dependencies.clock, dependencies.constants.leaseMs)
    this.#pause = new SharedPause(dependencies.clock)
  }

  /** Whether nobody else can have taken over from this process. */
  get isLeaseValid(): boolean {
    return this.#lease.isValid
  }

  /**
   * One of the next steps does the operation, however long the store fails. When others have taken
   * over, an append is done under the new name, and everything else ends as lost.
   */
  add(operation: Operation): void {
    this.#operations.add(operation)
    if (this.#operations.isReady(!this.#isFull)) this.schedule()
    else if (!operation.append || !this.#isFull) this.#collect()
  }

  /** The records of an append that the store may have done, and has not answered. */
  get appendsInDoubt(): readonly NewRecord[] {
    return this.#unanswered?.request.append?.records ?? []
  }

  /** Removes and returns the operations that `isSelected` selects, if no step has them yet. */
  remove(isSelected: (operation: Operation) => boolean): Operation[] {
    return this.#operations.remove(isSelected)
  }

  /** Whether the store is known to have enough of the calls that have begun for one more. */
  get mayCall(): boolean {
    return this.#calls + (this.#unanswered?.request.calls ?? 0) < MAX_UNCONFIRMED_CALLS
  }

  countCalls(count: number): void {
    this.#calls += count
    if (this.mayCall) this.#collect()
    else this.schedule()
  }

  /** See `ExchangeRequest.pauseMs`. It goes with the next step; the end of a pause causes none. */
  setPause(pauseMs: number): void {
    this.#pause.set(pauseMs)
    if (pauseMs > 0) this.schedule()
  }

  /** Does a step as soon as possible, even if there is nothing to do. */
  schedule(): void {
    this.#scheduleAt(this.#dependencies.clock.now())
  }

  /** Does a step soon, with what other pages add until then. */
  #collect(): void {
    this.#scheduleAt(this.#lastStepAtMs + COLLECT_MS)
  }

  /** After the step that is running, `#continue` schedules the next one. */
  #scheduleAt(atMs: number): void {
    if (this.#isRunning || this.#isDeferred || atMs >= this.#dueAtMs) return
    const { clock } = this.#dependencies
    this.#cancelTimer()
    const waitMs = atMs - clock.now()
    if (waitMs > 0) {
      this.#cancelTimer = clock.after(waitMs, () => this.#run())
    } else {
      clock.defer(() => this.#run())
      this.#isDeferred = true
    }
    // Last: were it set and nothing scheduled, nothing would ever be stored again.
    this.#dueAtMs = atMs
  }

  /** Resolves after the last step. */
  leave(): Promise<void> {
    this.#isLeaving = true
    return new Promise((resolve) => {
      this.#onLeft = resolve
      this.schedule()
    })
  }

  /** Sends nothing more to the store, and ignores what it still answers. */
  stop(): void {
    this.#isStopped = true
    this.#cancelTimer()
    this.#cancelPoll()
    this.#giveUp(new Error('close() was called'))
  }

  #run(): void {
    if (this.#isStopped) return
    this.#cancelTimer()
    this.#cancelPoll()
    const { store, clock } = this.#dependencies
    this.#unanswered ??= this.#createStep()
    const step = this.#unanswered
    this.#lastStepAtMs = clock.now()
    this.#dueAtMs = Number.POSITIVE_INFINITY
    this.#isDeferred = false
    const request = step.isRepeated
      ? { ...step.request, isResync: true, outageMs: this.#getOutageMs(step) }
      : step.request
    const leaseEnd = this.#lease.endIfRenewedNow()
    this.#isRunning = true
    store.exchange(request).then(
      (response) => this.#onAnswered(step, response, leaseEnd),
      (thrown: unknown) => this.#onFailed(step, thrown),
    )
  }

  /** See `ExchangeRequest.outageMs`: since when the step could not be done. */
  #getOutageMs({ request, createdAtMs }: PendingStep): number {
    const { clock, constants } = this.#dependencies
    const ageMs = clock.now() - createdAtMs
    if (ageMs <= constants.leaseMs / STEPS_PER_LEASE) return 0
    // The store may have failed before this process started.
    return request.isNew ? Number.MAX_SAFE_INTEGER : ageMs
  }

  #createStep(): PendingStep {
    const { constants, clock, countFigures } = this.#dependencies
    // The first step only registers the owner: repeated after its lease has expired, it stores nothing.
    const operations = this.#isKnown ? this.#operations.takeStep(!this.#isFull) : []
    const records = operations.flatMap(({ append }) => append ?? [])
    if (records.length > 0) this.#appends += 1
    this.#steps += 1
    const request: ExchangeRequest = {
      ...constants,
      owner: this.#owner,
      step: this.#steps,
      isNew: !this.#isKnown,
      box: constants.callsTtlMs > 0 ? 'fleet' : 'own',
      isResync: false,
      outageMs: 0,
      seenUpTo: this.#seenUpTo,
      settle: operations.flatMap(({ settle }) => settle ?? []),
      release: operations.flatMap(({ release }) => release ?? []),
      claim: operations.flatMap(({ claim }) => claim ?? []),
      append: records.length > 0 ? { number: this.#appends, records } : undefined,
      calls: this.#calls,
      pauseMs: this.#pause.take(),
      figures: countFigures(operations),
      // By itself, because another step does what this one might not have done.
      isLeaving: this.#isLeaving && operations.length + this.#operations.length === 0,
    }
    this.#calls = 0
    return { request, operations, createdAtMs: clock.now(), isRepeated: false }
  }

  get #isFull(): boolean {
    return this.#dependencies.clock.now() < this.#fullUntilMs
  }

  #onAnswered(step: PendingStep, response: ExchangeResponse, leaseEnd: LeaseEnd): void {
    const { onResponse } = this.#dependencies
    if (this.#isStopped) return
    this.#unanswered = undefined
    this.#isRunning = false
    this.#attempt(() => onResponse(response, step.request))
    if (response.isLost) {
      this.#startAgain(step, response)
    } else {
      this.#isKnown = true
      this.#seenUpTo = response.seenUpTo
      this.#lease.renew(leaseEnd)
      this.#endOperations(step.operations, response)
    }
    this.#continue(step, response)
  }

  #endOperations(operations: readonly Operation[], response: ExchangeResponse): void {
    const { clock, onFailure } = this.#dependencies
    const { isFull } = response
    if (isFull) {
      this.#fullUntilMs = clock.now() + RETRY_MS
      onFailure(new Error('it is full'))
    }
    const receipts = response.receipts.values()
    for (const operation of operations) {
      const { append } = operation
      if (append && isFull) this.#operations.add(operation)
      else this.#end(operation, response, append && receipts.next().value)
    }
  }

  #end({ onDone }: Operation, response: ExchangeResponse, receipt: Receipt | undefined): void {
    this.#attempt(() => onDone(response, receipt))
  }

  /** Whatever a callback throws, the next step follows. */
  #attempt(callback: () => void): void {
    try {
      callback()
    } catch (thrown) {
      this.#dependencies.onFailure(thrown)
    }
  }

  /**
   * Others have taken over from this process: it goes on under a new name. What it has not sent to
   * the store under the old name is stored under the new one.
   */
  #startAgain({ request, operations, isRepeated }: PendingStep, response: ExchangeResponse): void {
    const { wasDone = isRepeated ? undefined : false } = response
    this.#owner = createOwner()
    this.#isKnown = false
    this.#seenUpTo = 0
    this.#steps = 0
    this.#appends = 0
    // Of a sender that is known to be dead, the next one assumes these calls.
    if (response.wasDone === undefined) this.#calls += request.calls
    else this.#calls = 0
    // The store may not know the pause. If it does, only its owner can end it early.
    this.#pause.repeat()
    this.#lease.end()
    const others = this.#operations.takeOthers()
    if (wasDone) this.#endOperations(operations, { ...response, isLost: false })
    for (const operation of wasDone ? [] : operations) {
      if (operation.append && wasDone === false) this.#operations.add(operation)
      else this.#end(operation, response, operation.append && 'uncertain')
    }
    for (const operation of others) this.#end(operation, response, undefined)
  }

  #continue({ request }: PendingStep, response: ExchangeResponse): void {
    const { isSender, others, isFull, arrivals, orphans } = response
    const { clock, constants } = this.#dependencies
    if (request.isLeaving) {
      this.stop()
      this.#onLeft()
      return
    }
    const { hasOthers, length } = this.#operations
    const mayAppend = !this.#isFull
    const renewAtMs = clock.now() + constants.leaseMs / STEPS_PER_LEASE
    const isMore = arrivals.length + orphans.length >= MAX_RECORDS
    const isHeldUp = isFull || isMore || !this.#isKnown || !this.mayCall
    const isUrgent = isHeldUp || this.#operations.isReady(mayAppend) || this.#pause.isUrgent
    if (isUrgent || (this.#isLeaving && mayAppend)) this.schedule()
    else if (hasOthers || this.#calls > 0 || (mayAppend && length > 0)) this.#collect()
    else this.#scheduleAt(mayAppend ? renewAtMs : Math.min(this.#fullUntilMs, renewAtMs))
    if (isSender && others > 0 && constants.callsTtlMs > 0) this.#pollLater()
  }

  #pollLater(): void {
    this.#cancelPoll = this.#dependencies.clock.after(POLL_MS, () => this.#poll())
  }

  #poll(): void {
    const lastStepAtMs = this.#lastStepAtMs
    const isCurrent = () => !this.#isStopped && lastStepAtMs === this.#lastStepAtMs
    this.#dependencies.store.hasArrivals(this.#seenUpTo).then(
      (hasArrivals) => {
        if (!isCurrent()) return
        if (hasArrivals) this.schedule()
        else this.#pollLater()
      },
      () => {
        // The next step will report the failure.
        if (isCurrent()) this.schedule()
      },
    )
  }

  #onFailed(step: PendingStep, thrown: unknown): void {
    const { clock, onFailure } = this.#dependencies
    if (this.#isStopped) return
    step.isRepeated = true
    onFailure(thrown)
    this.#giveUp(thrown)
    this.#cancelTimer = clock.after(RETRY_MS, () => this.#run())
  }

  /** Ends what need not be done when the store fails. */
  #giveUp(thrown: unknown): void {
    const waiting = this.#operations.remove(({ onFailed }) => onFailed !== undefined)
    for (const { onFailed } of [...waiting, ...(this.#unanswered?.operations ?? [])]) {
      onFailed?.(thrown)
    }
  }
}

function createOwner(): string {
  return randomBytes(9).toString('base64url')
}
