import type { IncomingMessage, ServerResponse } from 'node:http'
import type { CountedCampaigns } from '../counting/dedupe.js'
import type { UsedTokens } from '../counting/used-tokens.js'
import type { NetworkChannel } from '../delivery/network-channel.js'
import type { Impression } from '../impression.js'
import type { Misuse } from '../misuse.js'
import { isHtml } from '../request/is-html.js'
import { isNavigation } from '../request/navigation.js'
import type { ReportWatch } from './report-watch.js'
import type { Routes } from './routes.js'
import type { Tokens } from './token.js'

/** What the option `visibility` enables. */
export interface VisibilityParts<Source> {
  readonly tokens: Tokens
  readonly usedTokens: UsedTokens
  readonly routes: Routes<Source>
  readonly watch: ReportWatch
  readonly misuse: Misuse
}

/** The visible ads of one page load: their tokens, and whether the page loads the client script. */
export class VisibleAds {
  readonly #parts: Omit<VisibilityParts<never>, 'routes'>
  #hasTokens = false
  /** Whether the page has printed the tag of the client script. */
  hasScript = false

  constructor(parts: Omit<VisibilityParts<never>, 'routes'>) {
    this.#parts = parts
  }

  /**
   * @returns the attribute for the ad's element. No quotes and no spaces, so that template languages
   *   escape nothing in it.
   * @throws if there can be no token for the impression
   */
  issue(
    channel: NetworkChannel,
    impression: Impression,
    onceKey: string,
    campaigns: CountedCampaigns,
  ): string {
    const { tokens, usedTokens, watch } = this.#parts
    const token = tokens.issue(impression, onceKey, campaigns)
    if (campaigns.issue(onceKey, usedTokens)) channel.countIssued()
    this.#hasTokens = true
    watch.onIssued()
    return `data-ad-impression=${token}`
  }

  /** The response has been displayed. A fragment relies on the script of its page. */
  onDisplayed(req: IncomingMessage, res: ServerResponse): void {
    if (!this.#hasTokens || this.hasScript || !isNavigation(req) || !isHtml(res)) return
    this.#parts.misuse.report('no-script')
  }
}
