import type { Clock } from '../clock.js'
import type { Dedupe } from '../counting/dedupe.js'
import type { Statistics } from '../counting/statistics.js'
import { UsedTokens } from '../counting/used-tokens.js'
import type { NetworkChannel } from '../delivery/network-channel.js'
import type { Log } from '../logger.js'
import type { Misuse } from '../misuse.js'
import type { AdmissionOptions } from '../request/admission.js'
import { ClientScript } from './client-script.js'
import type { Visibility } from './options.js'
import { ReportWatch } from './report-watch.js'
import { Routes } from './routes.js'
import { Tokens } from './token.js'
import type { VisibilityParts } from './visible-ads.js'
import { VisibleReports } from './visible-reports.js'

/** Visible impressions per page load for which the record of used tokens has room. */
const USED_TOKENS_PER_PAGE_LOAD = 10
/** Below the size that a JavaScript `Set` can have. */
const MAX_USED_TOKENS = 10_000_000

/** The parts of a tracker that visible impressions need. */
export interface VisibilityDependencies<Source> {
  readonly configuration: AdmissionOptions<Source> & {
    readonly visibility: Visibility | undefined
    readonly dedupe: { readonly max: number }
  }
  readonly statistics: Statistics
  readonly dedupe: Dedupe
  /** `undefined` without the option `visibility`. */
  readonly usedTokens: UsedTokens | undefined
  readonly clock: Clock
  readonly log: Log
  readonly misuse: Misuse
}

export function createUsedTokens<Source>(
  { visibility, dedupe }: VisibilityDependencies<Source>['configuration'],
  clock: Clock,
  log: Log,
): UsedTokens | undefined {
  if (!visibility) return undefined
  const max = Math.min(dedupe.max * USED_TOKENS_PER_PAGE_LOAD, MAX_USED_TOKENS)
  return new UsedTokens({ max, ttlMs: visibility.tokenTtlMs, now: clock.wallNow, log })
}

/** Wires what the option `visibility` enables; `undefined` without it. */
export function createVisibility<Source>(
  channels: readonly NetworkChannel[],
  dependencies: VisibilityDependencies<Source>,
): VisibilityParts<Source> | undefined {
  const { configuration, usedTokens, clock, misuse } = dependencies
  if (!configuration.visibility || !usedTokens) return undefined
  const { secrets, tokenTtlMs, path } = configuration.visibility
  const tokens = new Tokens({ secrets, ttlMs: tokenTtlMs, now: clock.wallNow })
  const watch = new ReportWatch(clock, misuse)
  const admission = configuration
  const shared = { ...dependencies, tokens, usedTokens, channels, admission, watch }
  const reports = new VisibleReports<Source>(shared)
  const routes = new Routes<Source>({ path, script: new ClientScript(), reports, watch, clock })
  return { tokens, usedTokens, routes, watch, misuse }
}
