import type { IncomingMessage } from 'node:http'
import type { Clock } from '../clock.js'
import type { CountedCampaigns, Dedupe } from '../counting/dedupe.js'
import type { Statistics } from '../counting/statistics.js'
import type { NetworkChannel } from '../delivery/network-channel.js'
import { createImpression, type Suppression } from '../impression.js'
import type { Log } from '../logger.js'
import { type AdmissionOptions, requestSuppression } from '../request/admission.js'
import type { Report } from './report-body.js'
import type { TokenPayload, Tokens } from './token.js'

export interface VisibleReportsDependencies<Source> {
  readonly tokens: Tokens
  readonly channels: readonly NetworkChannel[]
  readonly statistics: Statistics
  readonly dedupe: Dedupe
  readonly admission: AdmissionOptions<Source>
  readonly clock: Clock
  readonly log: Log
}

/** Counts the ads that browsers report as viewable, each under the request id of its page. */
export class VisibleReports<Source> {
  readonly #dependencies: VisibleReportsDependencies<Source>
  readonly #admission: AdmissionOptions<Source>

  constructor(dependencies: VisibleReportsDependencies<Source>) {
    this.#dependencies = dependencies
    // Consent was checked in the page's own request.
    this.#admission = { traffic: dependencies.admission.traffic, consent: undefined }
  }

  /** Gives every token one outcome, and a malformed report one as well. */
  record(report: Report, req: IncomingMessage, source: Source): void {
    if ('expected' in report) {
      this.#rejectInvalid(undefined, undefined, `report: expected ${report.expected}`)
      return
    }
    const { log } = this.#dependencies
    const suppression = requestSuppression(req, source, this.#admission, log)
    for (const token of report) this.#recordToken(token, suppression)
  }

  #recordToken(token: string, suppression: Suppression | undefined): void {
    const { tokens, channels, clock } = this.#dependencies
    const payload = tokens.read(token)
    const channel = channels.find(({ network }) => network.name === payload?.network)
    if (!payload || !channel) {
      const reason = 'token: expected one that this site signed, for a configured network'
      this.#rejectInvalid(undefined, undefined, reason)
      return
    }
    const campaigns = this.#findCampaigns(payload)
    if (!campaigns) {
      const reason = payload.isExpired
        ? 'token: expected one that has not expired (visibility.tokenTtlMs)'
        : 'token: expected one whose page load is still remembered (raise dedupe.max)'
      this.#rejectInvalid(channel, payload, reason)
      return
    }
    const impression = createImpression(payload.network, payload.requestId, payload, clock.now())
    if (suppression) {
      channel.conclude(impression, 'suppressed', suppression)
      return
    }
    campaigns.notifyViewable(payload.onceKey)
    if (channel.admit(impression)) channel.send(impression, payload.onceKey, campaigns)
  }

  /**
   * What the token's page load has counted; `undefined` if the token may be a replay. This process
   * cannot tell a replay from a first report when it has forgotten a page load of its own, even
   * though a later request may carry the same id. A page load of another process begins here, and
   * is remembered for longer than its token is valid.
   */
  #findCampaigns(payload: TokenPayload): CountedCampaigns | undefined {
    const { requestId, isExpired, issuedHere, pageLoadNonce } = payload
    if (isExpired) return undefined
    const { dedupe } = this.#dependencies
    if (issuedHere) {
      const known = dedupe.find(requestId)
      return known?.pageLoadNonce === pageLoadNonce ? known : undefined
    }
    const campaigns = dedupe.open(requestId)
    dedupe.remember(requestId, campaigns)
    return campaigns
  }

  /** Anyone can send reports, so the log never quotes them. */
  #rejectInvalid(
    channel: NetworkChannel | undefined,
    payload: TokenPayload | undefined,
    reason: string,
  ): void {
    const { statistics, log } = this.#dependencies
    const { requestId = '', campaignId, placement, offerId } = payload ?? {}
    const input = { requestId, campaignId, placement, offerId, reason }
    log.warn(`invalid ${reason}`, `a visible impression is not counted: ${reason}`)
    statistics.concludeInvalid(channel?.network.name, input)
  }
}
