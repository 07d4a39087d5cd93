import type { Impression } from '../impression.js'

/**
 * Where one network's accepted impressions wait. An impression is in it from `append` until it is
 * settled: claimed for a call, and then either settled or released to wait again.
 */
export interface Outbox {
  /** Impressions that wait or are claimed. */
  readonly size: number
  /** Impressions that wait. */
  readonly waiting: number
  /** @returns `false` if it is full: the impression was not taken */
  append(impression: Impression): boolean
  /** Up to `max` impressions that may share one call; none if nothing waits. */
  claim(max: number): readonly Impression[]
  /** These claimed impressions have their outcome. */
  settle(count: number): void
  /** These claimed impressions wait again. */
  release(impressions: readonly Impression[]): void
  /** Takes out, and settles, every waiting impression that was tracked before `beforeMs`. */
  expire(beforeMs: number): readonly Impression[]
}

/** First in, first out, with O(1) at both ends. */
class Queue {
  #items: (Impression | undefined)[] = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  push(impression: Impression): void {
    this.#items.push(impression)
  }

  take(max: number): Impression[] {
    const end = Math.min(this.#head + max, this.#items.length)
    const taken = this.#items.slice(this.#head, end) as Impression[]
    this.#items.fill(undefined, this.#head, end)
    this.#head = end
    // Moving the rest only once half of the array is spent costs each impression one move at most.
    if (this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return taken
  }
}

/** The embedded default: what waits is lost with the process. */
export class MemoryOutbox implements Outbox {
  /** By batch key, in the order in which they are served. */
  readonly #queues = new Map<string, Queue>()
  readonly #max: number
  #waiting = 0
  #claimed = 0

  /** @param max most impressions in it */
  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#waiting + this.#claimed
  }

  get waiting(): number {
    return this.#waiting
  }

  append(impression: Impression): boolean {
    if (this.size >= this.#max) return false
    this.#enqueue(impression)
    return true
  }

  claim(max: number): readonly Impression[] {
    const [next] = this.#queues
    if (!next) return []
    const [key, queue] = next
    const taken = queue.take(max)
    // What is left goes behind the others, so that a busy search query starves none.
    this.#queues.delete(key)
    if (queue.length > 0) this.#queues.set(key, queue)
    this.#waiting -= taken.length
    this.#claimed += taken.length
    return taken
  }

  settle(count: number): void {
    this.#claimed -= count
  }

  release(impressions: readonly Impression[]): void {
    this.#claimed -= impressions.length
    // Behind what waits: an impression that the network cannot digest then blocks no other.
    for (const impression of impressions) this.#enqueue(impression)
  }

  expire(beforeMs: number): readonly Impression[] {
    const expired: Impression[] = []
    for (const [key, queue] of [...this.#queues]) {
      for (const impression of queue.take(queue.length)) {
        if (impression.trackedAtMs < beforeMs) expired.push(impression)
        else queue.push(impression)
      }
      if (queue.length === 0) this.#queues.delete(key)
    }
    this.#waiting -= expired.length
    return expired
  }

  #enqueue(impression: Impression): void {
    const { batchKey } = impression
    let queue = this.#queues.get(batchKey)
    if (!queue) {
      queue = new Queue()
      this.#queues.set(batchKey, queue)
    }
    queue.push(impression)
    this.#waiting += 1
  }
}
