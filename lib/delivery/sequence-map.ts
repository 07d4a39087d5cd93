/** One item that stays keeps a chunk, so chunks are small. */
const CHUNK_SIZE = 32

/** The items of a range of numbers. */
interface Chunk<Item> {
  readonly items: (Item | undefined)[]
  size: number
}

/**
 * A map whose keys are numbers that count up. A `Map` takes several times as long, and a large one
 * pauses the process whenever it grows. If the stack overflows in `add`, nothing has happened.
 */
export class SequenceMap<Item extends object> {
  /** In the order of their items. */
  readonly #chunks = new Map<number, Chunk<Item>>()
  #last: Chunk<Item> | undefined
  #lastKey = -1
  #size = 0

  get size(): number {
    return this.#size
  }

  get(sequence: number): Item | undefined {
    return this.#chunks.get(toChunkKey(sequence))?.items[sequence % CHUNK_SIZE]
  }

  /** @param sequence higher than that of every item before */
  add(sequence: number, item: Item): void {
    const chunk = this.#chunkFor(toChunkKey(sequence))
    chunk.items[sequence % CHUNK_SIZE] = item
    chunk.size += 1
    this.#size += 1
  }

  delete(sequence: number): void {
    const key = toChunkKey(sequence)
    const chunk = this.#chunks.get(key)
    if (chunk?.items[sequence % CHUNK_SIZE] === undefined) return
    chunk.items[sequence % CHUNK_SIZE] = undefined
    chunk.size -= 1
    this.#size -= 1
    // Most items are deleted soon. The last chunk gets the next ones.
    if (chunk.size === 0 && chunk !== this.#last) this.#chunks.delete(key)
  }

  /** In the order of their numbers. */
  toArray(): Item[] {
    const all: Item[] = []
    for (const { items } of this.#chunks.values()) {
      for (const item of items) if (item !== undefined) all.push(item)
    }
    return all
  }

  #chunkFor(key: number): Chunk<Item> {
    if (this.#last && key === this.#lastKey) return this.#last
    const chunk: Chunk<Item> = { items: new Array(CHUNK_SIZE).fill(undefined), size: 0 }
    this.#chunks.set(key, chunk)
    if (this.#last?.size === 0) this.#chunks.delete(this.#lastKey)
    this.#last = chunk
    this.#lastKey = key
    return chunk
  }
}

function toChunkKey(sequence: number): number {
  return Math.floor(sequence / CHUNK_SIZE)
}
