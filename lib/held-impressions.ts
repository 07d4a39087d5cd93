import type { CountedCampaigns, ViewableListener } from './counting/dedupe.js'
import type { NetworkChannel } from './delivery/network-channel.js'
import type { Impression, Suppression } from './impression.js'

/** A valid impression with what it takes to count it. */
export interface CountableImpression {
  readonly channel: NetworkChannel
  readonly impression: Impression
  readonly onceKey: string
}

/** Everything that waits for responses, so that `close()` can drop it. */
export type OpenResponses = Set<HeldImpressions>

/** The impressions that wait for one response to finish. */
export class HeldImpressions implements ViewableListener {
  readonly #openResponses: OpenResponses
  readonly #campaigns: CountedCampaigns
  #held: CountableImpression[] = []

  /** @param campaigns what this page load has counted */
  constructor(openResponses: OpenResponses, campaigns: CountedCampaigns) {
    this.#openResponses = openResponses
    this.#campaigns = campaigns
  }

  add(countable: CountableImpression): void {
    countable.channel.hold(countable.impression)
    this.#held.push(countable)
    this.#openResponses.add(this)
  }

  /** An ad that was viewable was displayed, even if the rest of its page never arrives. */
  onViewable(onceKey: string): void {
    const viewed = this.#held.find((one) => one.onceKey === onceKey)
    if (!viewed) return
    this.#held = this.#held.filter((one) => one !== viewed)
    viewed.channel.send(viewed.impression)
  }

  /** The response has displayed them. */
  send(): void {
    for (const { channel, impression } of this.#removeAll()) channel.send(impression)
  }

  /** The response has displayed nothing. */
  suppress(reason: Suppression): void {
    for (const { channel, impression, onceKey } of this.#removeAll()) {
      // So that a retry of the same page load still counts.
      this.#campaigns.delete(onceKey)
      channel.conclude(impression, 'suppressed', reason)
    }
  }

  /** The tracker has closed and no longer waits for the response. */
  drop(): void {
    for (const { channel, impression } of this.#removeAll()) {
      channel.conclude(impression, 'dropped', 'closed')
    }
  }

  #removeAll(): readonly CountableImpression[] {
    const held = this.#held
    this.#held = []
    this.#openResponses.delete(this)
    this.#campaigns.removeListener(this)
    return held
  }
}
