import type { ServerResponse } from 'node:http'
import type { SandboxNetworks } from './create-networks.js'
import { NetworkFeed } from './network-feed.js'

const MIN_INTERVAL_MS = 250
const MAX_INTERVAL_MS = 1000

/**
 * Sends the state of all networks to the open pages, as Server-Sent Events. Each event is the
 * whole state, so a page that was disconnected only needs the next one. No timer runs while no page
 * is open.
 */
export class LiveUpdates {
  readonly #feeds: readonly NetworkFeed[]
  readonly #now: () => number
  readonly #pages = new Set<ServerResponse>()
  #timer: NodeJS.Timeout | undefined
  #hasChanged = false
  #sentAtMs = 0

  constructor(networks: SandboxNetworks['all'], now: () => number) {
    this.#now = now
    this.#feeds = [...networks].map(([name, network]) => new NetworkFeed(name, network))
    for (const network of networks.values()) {
      network.on('call', () => this.#markChanged())
      network.on('end', () => this.#markChanged())
      network.on('connection-reset', () => this.#markChanged())
    }
  }

  /** Sends the state at once, so that a user sees the effect of an action. */
  sendNow(): void {
    this.#markChanged()
    this.#sendIfDue()
  }

  /** Clears the chart. */
  reset(): void {
    for (const feed of this.#feeds) feed.reset()
    this.#markChanged()
  }

  addPage(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    response.write(this.#buildEvent())
    this.#pages.add(response)
    this.#timer ??= setInterval(() => this.#sendIfDue(), MIN_INTERVAL_MS).unref()
    response.once('close', () => {
      this.#pages.delete(response)
      if (this.#pages.size > 0) return
      clearInterval(this.#timer)
      this.#timer = undefined
    })
  }

  /** The next tick sends the state, instead of waiting for `MAX_INTERVAL_MS` to pass. */
  #markChanged(): void {
    this.#hasChanged = true
  }

  #sendIfDue(): void {
    if (this.#pages.size === 0) return
    const nowMs = performance.now()
    if (!this.#hasChanged && nowMs - this.#sentAtMs < MAX_INTERVAL_MS) return
    this.#hasChanged = false
    this.#sentAtMs = nowMs
    const event = this.#buildEvent()
    for (const page of this.#pages) {
      // A slow page skips states; the next event brings it up to date.
      if (!page.writableNeedDrain) page.write(event)
    }
  }

  #buildEvent(): string {
    const nowMs = this.#now()
    const states = this.#feeds.map((feed) => [feed.name, feed.describe(nowMs)])
    return `data: ${JSON.stringify(Object.fromEntries(states))}\n\n`
  }
}
