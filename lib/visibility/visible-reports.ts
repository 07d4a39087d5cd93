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
  readonly lanes: readonly NetworkChannel[]
  readonly intake: Intake
  readonly dedupe: Dedupe
  readonly admission: AdmissionOptions<Source>
  readonly clock: Clock
  readonly log: Log
}

/** Counts what browsers report as seen, each under the request id of its page. */
export class VisibleReports<Source> {
  readonly #parts: VisibleReportsDependencies<Source>
  readonly #admission: AdmissionOptions<Source>

  constructor(parts: VisibleReportsDependencies<Source>) {
    this.#parts = parts
    // For consent the page's own request was asked.
    this.#admission = { traffic: parts.admission.traffic, consent: undefined }
  }

  /** Every token, and a report that is none, ends in one outcome; the client is told of no one's. */
  record(report: Report, req: IncomingMessage, source: Source): void {
    const { tokens, lanes, intake, clock, log } = this.#parts
    if ('expected' in report) {
      this.#refuse(undefined, undefined, `report: expected ${report.expected}`)
      return
    }
    const refusal = requestSuppression(req, source, this.#admission, log)
    for (const token of report) {
      const vouched = tokens.read(token)
      const lane = lanes.find(({ network }) => network.name === vouched?.network)
      if (!vouched || !lane) {
        const reason = 'token: expected one that this site has signed, of a network that it tells'
        this.#refuse(undefined, undefined, reason)
        continue
      }
      const { network, requestId, campaignId, batchKey, item, onceKey } = vouched
      const counted = this.#findCountedCampaigns(vouched)
      if (!counted) {
        const reason = vouched.isExpired
          ? 'token: expected one that has not expired (visibility.tokenTtlMs)'
          : 'token: expected one whose page load is remembered (raise dedupe.max)'
        this.#refuse(lane, vouched, reason)
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
      if (refusal) {
        intake.end(lane, impression, 'suppressed', refusal)
        continue
      }
      counted.notifyViewable(onceKey)
      if (intake.admit(lane, impression, onceKey, counted)) lane.delivery.push(impression)
    }
  }

  /**
   * What the token's page load has counted. Where this process has forgotten a page load of its own,
   * it cannot know a replay from a first report, though a later request may bear the same id;
   * another process's begins here, and is remembered for longer than its token is good.
   */
  #findCountedCampaigns({
    requestId,
    isExpired,
    issuedHere,
    pageLoadNonce,
  }: TokenPayload): CountedCampaigns | undefined {
    if (isExpired) return undefined
    const { dedupe } = this.#parts
    if (issuedHere) {
      const known = dedupe.find(requestId)
      return known?.pageLoadNonce === pageLoadNonce ? known : undefined
    }
    const counted = dedupe.open(requestId)
    dedupe.remember(requestId, counted)
    return counted
  }

  /** Anyone can send it: the log says each kind once a minute, and nothing of what was sent. */
  #refuse(
    lane: NetworkChannel | undefined,
    vouched: TokenPayload | undefined,
    reason: string,
  ): void {
    const { intake, log } = this.#parts
    const { requestId = '', campaignId } = vouched ?? {}
    log.warn(`invalid ${reason}`, `a visible impression is not counted: ${reason}`)
    intake.refuse(lane, { requestId, campaignId, reason })
  }
}
