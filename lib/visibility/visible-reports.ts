import type { IncomingMessage } from 'node:http'
import type { Clock } from '../clock.js'
import type { CountedCampaigns, Dedupe } from '../counting/dedupe.js'
import type { Intake, NetworkChannel } from '../delivery/network-channel.js'
import type { Log } from '../logger.js'
import { type AdmissionOptions, requestSuppression } from '../request/admission.js'
import type { Report } from './report-body.js'
import type { TokenPayload, Tokens } from './token.js'

export interface VisibleReportsDependencies<Source> {
  readonly tokens: Tokens
  readonly channels: readonly NetworkChannel[]
  readonly intake: Intake
  readonly dedupe: Dedupe
  readonly admission: AdmissionOptions<Source>
  readonly clock: Clock
  readonly log: Log
}

/** Counts the ads that browsers report as visible, each under the request id of its page. */
export class VisibleReports<Source> {
  readonly #dependencies: VisibleReportsDependencies<Source>
  readonly #admission: AdmissionOptions<Source>

  constructor(dependencies: VisibleReportsDependencies<Source>) {
    this.#dependencies = dependencies
    // Consent was checked in the page's own request.
    this.#admission = { traffic: dependencies.admission.traffic, consent: undefined }
  }

  /** Gives each token exactly one outcome, and an invalid report one as well. */
  record(report: Report, req: IncomingMessage, source: Source): void {
    const { tokens, channels, intake, clock, log } = this.#dependencies
    if ('expected' in report) {
      this.#refuse(undefined, undefined, `report: expected ${report.expected}`)
      return
    }
    const suppression = requestSuppression(req, source, this.#admission, log)
    for (const token of report) {
      const payload = tokens.read(token)
      const channel = channels.find(({ network }) => network.name === payload?.network)
      if (!payload || !channel) {
        const reason = 'token: expected one that this site signed, for a configured network'
        this.#refuse(undefined, undefined, reason)
        continue
      }
      const { network, requestId, campaignId, batchKey, item, onceKey } = payload
      const counted = this.#findCountedCampaigns(payload)
      if (!counted) {
        const reason = payload.isExpired
          ? 'token: expected one that has not expired (visibility.tokenTtlMs)'
          : 'token: expected one whose page load is still remembered (raise dedupe.max)'
        this.#refuse(channel, payload, reason)
        continue
      }
      const impression = {
        network,
        requestId,
        campaignId,
        batchKey,
        item,
        trackedAtMs: clock.now(),
        attempts: 0,
        sequence: 0,
      }
      if (suppression) {
        intake.end(channel, impression, 'suppressed', suppression)
        continue
      }
      counted.notifyViewable(onceKey)
      if (intake.admit(channel, impression, onceKey, counted)) channel.delivery.push(impression)
    }
  }

  /**
   * Finds what the token's page load has counted so far; `undefined` if this cannot be known.
   *
   * If this process issued the token but no longer remembers its page load, the token may be a
   * replay. The nonce matters here: a later request may use the same request id. A page load of
   * another process is remembered from its first report on, for longer than its tokens are valid.
   */
  #findCountedCampaigns({
    requestId,
    isExpired,
    issuedHere,
    pageLoadNonce,
  }: TokenPayload): CountedCampaigns | undefined {
    if (isExpired) return undefined
    const { dedupe } = this.#dependencies
    if (issuedHere) {
      const known = dedupe.find(requestId)
      return known?.pageLoadNonce === pageLoadNonce ? known : undefined
    }
    const counted = dedupe.open(requestId)
    dedupe.remember(requestId, counted)
    return counted
  }

  /** Logs the reason but never the report's content, because anyone can send one. */
  #refuse(
    channel: NetworkChannel | undefined,
    payload: TokenPayload | undefined,
    reason: string,
  ): void {
    const { intake, log } = this.#dependencies
    const { requestId = '', campaignId } = payload ?? {}
    log.warn(`invalid ${reason}`, `a visible impression is not counted: ${reason}`)
    intake.refuse(channel, { requestId, campaignId, reason })
  }
}
