/**
 * The middleware for Express and for everything else that calls `(req, res, next)`, the tracker for
 * any `node:http` server, and the networks.
 *
 * @module ad-impressions
 */

export type { Clock } from './clock.js'
export type { OutcomeListener } from './counting/outcome-events.js'
export type { NetworkStats, Stats, Viewability } from './counting/statistics.js'
export type {
  Awaitable,
  Claim,
  Fleet,
  OpenOutbox,
  Outbox,
  OutboxEvents,
  OutboxOptions,
  Receipt,
} from './delivery/outbox/outbox.js'
export type { Figures } from './delivery/outbox/shared-figures.js'
export type { TimeoutOptions } from './delivery/tracker-methods.js'
export {
  ConfigurationError,
  type ConfigurationErrorCode,
  InvalidImpressionError,
} from './errors.js'
export { type ImpressionsMiddleware, impressions } from './express.js'
export type { Impression, Outcome, OutcomeEvent } from './impression.js'
export type { DebugMessage, Log, LogCode, Logger, LogKind } from './logger.js'
export type { Answer } from './networks/answer.js'
export type { BuiltInOptions } from './networks/built-in-options.js'
export type { ConnectionOptions } from './networks/connection-options.js'
export { defineNetwork } from './networks/define-network.js'
export * from './networks/index.js'
export * from './networks/network.js'
export { type NetworkError, type Verdict, verdictOnStatus } from './networks/verdict.js'
export type { CircuitState, Health, NetworkHealth, QuotaLeft } from './observability/health.js'
export type { TrackerOptions } from './options.js'
export type { Reason, ReasonCode } from './reason.js'
export type { BotRule, TrafficRule } from './request/admission.js'
export type { Reply } from './request/reply.js'
export type { TrackImpression } from './track-impression.js'
export {
  createTracker,
  type ImpressionsOptions,
  type Tracker,
  type TrackerMethods,
} from './tracker.js'
export type { Cdn } from './viewer/country.js'
export type { Device } from './viewer/device.js'
export type { Viewer } from './viewer/viewer.js'
export type { VisibilityOptions } from './visibility/options.js'
