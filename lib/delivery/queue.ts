/** First in, first out, with O(1) at both ends. */
export class Queue<Item> {
  #items: Item[]
  #head = 0

  /** @param items the first items. The queue owns the array from now on. */
  constructor(items: Item[] = []) {
    this.#items = items
  }

  get length(): number {
    return this.#items.length - this.#head
  }

  get first(): Item | undefined {
    return this.#items[this.#head]
  }

  get last(): Item | undefined {
    return this.length > 0 ? this.#items.at(-1) : undefined
  }

  /** @param index counted from the first item */
  at(index: number): Item | undefined {
    return this.#items[this.#head + index]
  }

  push(item: Item): void {
    this.#items.push(item)
  }

  shift(): Item | undefined {
    const first = this.#items[this.#head]
    if (this.#head < this.#items.length) this.#advance(1)
    return first
  }

  /** Removes and returns up to `max` items from the front. */
  take(max: number): Item[] {
    const taken = this.#items.slice(this.#head, this.#head + max)
    this.#advance(taken.length)
    return taken
  }

  /** A copy of the items, from the first to the last. */
  toArray(): Item[] {
    return this.#items.slice(this.#head)
  }

  /** Cuts off the removed items only when they are the larger half: each item moves once at most. */
  #advance(count: number): void {
    this.#head += count
    if (this.#head * 2 < this.#items.length) return
    this.#items = this.#items.slice(this.#head)
    this.#head = 0
  }
}
