import type { Clock } from './clock.js'
import type { CountedCampaigns, ViewableListener } from './counting/dedupe.js'
import type { NetworkChannel } from './delivery/network-channel.js'
import type { Impression } from './impression.js'
import { DROPPED, type Suppression } from './reason.js'

/** A valid impression with what it takes to count it. */
export interface CountableImpression {
  readonly channel: NetworkChannel
  readonly impression: Impression
  readonly onceKey: string
}

/** An impression is held for no longer than this while its response is displayed. */
const LONGEST_HOLD_MS = 30_000
const CHECK_INTERVAL_MS = 5_000

/** The responses that hold impressions. */
export class OpenResponses {
  readonly #clock: Clock
  readonly #responses = new Set<HeldImpressions>()
  #isCheckScheduled = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(response: HeldImpressions): void {
    this.#responses.add(response)
    this.#scheduleCheck()
  }

  delete(response: HeldImpressions): void {
    this.#responses.delete(response)
  }

  /** The tracker has closed and no longer waits for any response. */
  drop(): void {
    for (const response of this.#responses) response.drop()
  }

  /** Looks at intervals for what has been held too long: one timer for all, instead of one each. */
  #scheduleCheck(): void {
    if (this.#isCheckScheduled) return
    this.#clock.after(CHECK_INTERVAL_MS, () => {
      this.#isCheckScheduled = false
      const beforeMs = this.#clock.now() - LONGEST_HOLD_MS
      for (const response of this.#responses) response.sendTrackedBefore(beforeMs)
      if (this.#responses.size > 0) this.#scheduleCheck()
    })
    // Last: were it set and no timer, nothing would ever be checked again.
    this.#isCheckScheduled = true
  }
}

/** The impressions that wait for one response to finish. */
export class HeldImpressions implements ViewableListener {
  readonly #openResponses: OpenResponses
  readonly #campaigns: CountedCampaigns
  readonly #isDisplayed: () => boolean
  /** By their once keys. */
  readonly #held = new Map<string, CountableImpression>()

  /**
   * @param campaigns what this page load has counted
   * @param isDisplayed whether the response displays what it holds although it has not finished
   */
  constructor(
    openResponses: OpenResponses,
    campaigns: CountedCampaigns,
    isDisplayed: () => boolean,
  ) {
    this.#openResponses = openResponses
    this.#campaigns = campaigns
    this.#isDisplayed = isDisplayed
  }

  /**
   * Holds an impression, if there is room and its campaign has not counted. That another response
   * of the same page load holds the campaign as well does not matter: whichever displays it first
   * counts.
   */
  add(countable: CountableImpression): void {
    const { channel, impression, onceKey } = countable
    if (this.#held.has(onceKey) || this.#campaigns.has(onceKey)) {
      channel.concludeDuplicate(impression)
    } else if (channel.hasRoomFor(impression)) {
      this.#openResponses.add(this)
      this.#held.set(onceKey, countable)
      // Last: an impression that counts as held must be found when the response ends.
      channel.hold(impression)
    }
  }

  /** An ad that was viewable was displayed, even if the rest of its page never arrives. */
  onViewable(onceKey: string): void {
    const viewed = this.#held.get(onceKey)
    if (viewed) this.#send(viewed)
  }

  /** A response that never ends, such as a stream of news, displays what it holds all the same. */
  sendTrackedBefore(beforeMs: number): void {
    for (const countable of this.#held.values()) {
      if (countable.impression.trackedAtMs >= beforeMs || !this.#isDisplayed()) return
      this.#send(countable)
    }
  }

  /** The response has displayed them. */
  send(): void {
    for (const countable of this.#held.values()) this.#send(countable)
    this.#end()
  }

  /** The response has displayed nothing. A retry of the same page load still counts. */
  suppress(suppression: Suppression): void {
    this.#conclude((channel, impression) => channel.suppress(impression, suppression))
  }

  /** The tracker has closed and no longer waits for the response. */
  drop(): void {
    this.#conclude((channel, impression) => channel.conclude(impression, 'dropped', DROPPED.closed))
  }

  /** Another response of the same page load may have displayed the campaign first. */
  #send({ channel, impression, onceKey }: CountableImpression): void {
    this.#held.delete(onceKey)
    channel.send(impression, onceKey, this.#campaigns)
  }

  #conclude(conclude: (channel: NetworkChannel, impression: Impression) => void): void {
    for (const { channel, impression, onceKey } of this.#held.values()) {
      this.#held.delete(onceKey)
      conclude(channel, impression)
    }
    this.#end()
  }

  #end(): void {
    this.#openResponses.delete(this)
    this.#campaigns.removeListener(this)
  }
}
