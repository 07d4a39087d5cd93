/** First in, first out, with O(1) at both ends. */
export class Queue<Item> {
  #items: Item[] = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  get first(): Item | undefined {
    return this.#items[this.#head]
  }

  push(item: Item): void {
    this.#items.push(item)
  }

  shift(): Item | undefined {
    const first = this.#items[this.#head]
    if (this.#head < this.#items.length) this.#advance(1)
    return first
  }

  take(max: number): Item[] {
    const taken = this.#items.slice(this.#head, this.#head + max)
    this.#advance(taken.length)
    return taken
  }

  /** Cuts off what is spent only once it is the larger half: each item is moved once at most. */
  #advance(count: number): void {
    this.#head += count
    if (this.#head * 2 < this.#items.length) return
    this.#items = this.#items.slice(this.#head)
    this.#head = 0
  }
}
