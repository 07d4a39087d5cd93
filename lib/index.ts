/**
 * The middleware for Express and for everything else that calls `(req, res, next)`, the tracker for
 * any `node:http` server, and the networks.
 *
 * @module ad-impressions
 */

export type { OutcomeListener } from './counting/outcome-events.js'
export type { NetworkStats, Stats, Viewability } from './counting/statistics.js'
export type {
  Awaitable,
  Claim,
  OpenOutbox,
  Outbox,
  OutboxOptions,
  Receipt,
} from './delivery/outbox/outbox.js'
export {
  ConfigurationError,
  type ConfigurationErrorCode,
  InvalidImpressionError,
} from './errors.js'
export { type ImpressionsMiddleware, impressions } from './express.js'
export type { Impression, Outcome, OutcomeEvent } from './impression.js'
export type { Logger } from './logger.js'
export type { Answer } from './networks/answer.js'
export { defineNetwork } from './networks/define-network.js'
export * from './networks/index.js'
export * from './networks/network.js'
export { type NetworkError, type Verdict, verdictOnStatus } from './networks/verdict.js'
export type { CircuitState, Health, NetworkHealth, QuotaLeft } from './observability/health.js'
export type { TrackerOptions } from './options.js'
export type { Reason, ReasonCode } from './reason.js'
export type { BotRule, TrafficRule } from './request/admission.js'
export type { TrackImpression } from './track-impression.js'
export { createTracker, type ImpressionsOptions, type Tracker } from './tracker.js'
export type { Cdn } from './viewer/country.js'
export type { Device } from './viewer/device.js'
export type { Viewer } from './viewer/viewer.js'
export type { VisibilityOptions } from './visibility/options.js'
export type { Reply } from './visibility/reply.js'
