/** A scene of a test, which plays while other tests are asked for their results: so long its failure waits. */
export class Run {
  readonly #play: () => Promise<void>
  readonly end: Promise<void>
  #settle: (end: Promise<void>) => void = () => undefined

  constructor(play: () => Promise<void>) {
    this.#play = play
    this.end = new Promise((resolve) => {
      this.#settle = resolve
    })
    this.end.catch(() => undefined)
  }

  /** Never rejects. */
  async start(): Promise<void> {
    this.#settle(this.#play())
    await this.end.catch(() => undefined)
  }
}

/** Plays the runs in their order, so many at once. */
export function playInTurn(runs: readonly Run[], atOnce: number): void {
  const waiting = [...runs]
  const next = async (): Promise<void> => {
    const run = waiting.shift()
    if (run) await run.start().then(next)
  }
  for (let started = 0; started < atOnce; started += 1) void next()
}
