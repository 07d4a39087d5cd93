import type { IncomingMessage } from 'node:http'
import type { Clock } from '../clock.js'
import { CountedCampaigns, type Dedupe } from '../counting/dedupe.js'
import type { Statistics } from '../counting/statistics.js'
import type { UsedTokens } from '../counting/used-tokens.js'
import type { NetworkChannel } from '../delivery/network-channel.js'
import { createImpression } from '../impression.js'
import type { Log } from '../logger.js'
import { REASONS, type Reason, readReasonCode, type Suppression } from '../reason.js'
import { type AdmissionOptions, requestSuppression } from '../request/admission.js'
import { describePage } from '../request/describe-page.js'
import type { Report } from './report-body.js'
import type { ReportWatch } from './report-watch.js'
import type { TokenPayload, Tokens } from './token.js'

export interface VisibleReportsDependencies<Source> {
  readonly tokens: Tokens
  readonly usedTokens: UsedTokens
  readonly channels: readonly NetworkChannel[]
  readonly statistics: Statistics
  readonly dedupe: Dedupe
  readonly admission: AdmissionOptions<Source>
  readonly clock: Clock
  readonly watch: ReportWatch
  readonly log: Log
}

interface VerifiedToken {
  readonly payload: TokenPayload
  readonly channel: NetworkChannel
}

/** A verified token with the request that reported it, for log messages. */
interface ReportedToken extends VerifiedToken {
  readonly page: string | undefined
}

const EXPECTED_TOKEN =
  'invalid-token: token: expected one that this site signed, for a configured network'
const EXPIRED_TOKEN =
  'expired-token: token: expected one that has not expired (visibility.tokenTtlMs)'
const EARLY_TOKEN =
  'early-token: token: expected one that was issued at least a second ago: no ad is viewable sooner'

/** Counts the ads that browsers report as viewable, each under the request id of its page. */
export class VisibleReports<Source> {
  readonly #dependencies: VisibleReportsDependencies<Source>
  readonly #admission: AdmissionOptions<Source>

  constructor(dependencies: VisibleReportsDependencies<Source>) {
    this.#dependencies = dependencies
    // Consent was checked in the page's own request.
    this.#admission = { traffic: dependencies.admission.traffic, consent: undefined }
  }

  /**
   * Gives each valid token one outcome, and everything invalid in the report one together: anyone
   * can send it.
   */
  record(report: Report, req: IncomingMessage, source: Source): void {
    const { log, watch } = this.#dependencies
    const page = log.debug && describePage(req, source)
    if ('expected' in report) {
      this.#rejectInvalid(`invalid-report: expected ${report.expected}`, { page })
      return
    }
    const tokens = [...new Set(report)].map((token) => this.#read(token))
    const verified = tokens.filter((token) => token !== undefined)
    if (verified.length < tokens.length) this.#rejectInvalid(EXPECTED_TOKEN, { page })
    if (verified.length === 0) return
    watch.onReport()
    const suppression = requestSuppression(req, source, this.#admission, log)
    for (const token of verified) this.#recordToken({ ...token, page }, suppression)
  }

  /** `undefined` unless the token was signed for a network that is configured. */
  #read(token: string): VerifiedToken | undefined {
    const { tokens, channels } = this.#dependencies
    const payload = tokens.read(token)
    const channel = channels.find(({ network }) => network.name === payload?.network)
    return payload && channel && { payload, channel }
  }

  #recordToken(token: ReportedToken, suppression: Suppression | undefined): void {
    const { payload, channel, page } = token
    const { usedTokens, clock } = this.#dependencies
    const { onceKey, pageLoad } = payload
    if (payload.isExpired || payload.isTooEarly) {
      this.#rejectInvalid(payload.isExpired ? EXPIRED_TOKEN : EARLY_TOKEN, token)
      return
    }
    const impression = createImpression(
      payload.network,
      payload.requestId,
      payload,
      clock.now(),
      page,
    )
    if (suppression) {
      channel.suppress(impression, suppression)
      return
    }
    const campaigns = this.#findCampaigns(payload)
    // Before an impression that its page holds is sent for the same ad.
    const isFirst = !campaigns.has(onceKey)
    campaigns.notifyViewable(onceKey)
    if (!channel.admit(impression)) return
    if (!campaigns.has(onceKey) && !usedTokens.hasRoom()) {
      channel.conclude(impression, 'dropped', REASONS.tokenOverflow)
      return
    }
    if (isFirst) channel.countViewable()
    channel.send(impression, onceKey, campaigns)
    // A duplicate is recorded as well: the record then outlives its token too.
    usedTokens.add(pageLoad, onceKey)
  }

  /**
   * What the token's page load has counted, as far as it is remembered. What its tokens have counted
   * is always in the record of used tokens, or in the token.
   */
  #findCampaigns({ requestId, pageLoad, onceKey, hasCounted }: TokenPayload): CountedCampaigns {
    const { dedupe, usedTokens } = this.#dependencies
    const known = dedupe.find(requestId)
    const campaigns = known?.id === pageLoad ? known : new CountedCampaigns(pageLoad, usedTokens)
    if (hasCounted && !campaigns.has(onceKey)) campaigns.add(onceKey)
    return campaigns
  }

  /** Anyone can send reports, so the log never quotes them. */
  #rejectInvalid(reason: Reason, { payload, channel, page }: Partial<ReportedToken>): void {
    const { statistics, log } = this.#dependencies
    const { requestId = '', campaignId, placement, offerId } = payload ?? {}
    const input = { requestId, campaignId, placement, offerId, page, reason }
    log.warn(
      `${readReasonCode(reason)} ${reason}`,
      `a visible impression is not counted: ${reason}`,
    )
    statistics.concludeInvalid(channel?.network.name, input)
  }
}
