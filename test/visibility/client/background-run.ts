/** A test scenario that runs in the background, so that several can run at the same time. */
export class BackgroundRun {
  readonly #scenario: () => Promise<void>
  /** Settles as the scenario does. */
  readonly finished: Promise<void>
  #settle: (finished: Promise<void>) => void = () => undefined

  constructor(scenario: () => Promise<void>) {
    this.#scenario = scenario
    this.finished = new Promise((resolve) => {
      this.#settle = resolve
    })
    // The test that waits for this run may start later: until then, a rejection is not an error.
    this.finished.catch(() => undefined)
  }

  /** Runs the scenario. Never rejects. */
  async start(): Promise<void> {
    this.#settle(this.#scenario())
    await this.finished.catch(() => undefined)
  }
}

/** Starts the runs in order, at most `concurrency` of them at a time. */
export function startRuns(runs: readonly BackgroundRun[], concurrency: number): void {
  const waiting = [...runs]
  const startNext = async (): Promise<void> => {
    const run = waiting.shift()
    if (run) await run.start().then(startNext)
  }
  for (let started = 0; started < concurrency; started += 1) void startNext()
}
