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

  take(max: number): Item[] {
    const taken = this.#items.slice(this.#head, this.#head + max)
    this.#head += taken.length
    // Cutting off what is spent only once it is the larger half moves each item once at most.
    if (this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return taken
  }
}
