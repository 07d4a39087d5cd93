import type { Stats } from '../../../lib/counting/statistics.js'
import type { Outcome } from '../../../lib/impression.js'
import { toShortuuid } from '../../../lib/networks/shortuuid.js'
import type { Sandbox } from '../../../lib/sandbox/sandbox.js'

/** Options of the networks, which limit what a process has in flight. */
export interface FleetLimits {
  readonly ens: { readonly connections: number }
  readonly closient: { readonly connections: number; readonly maxBatch: number }
}

/** What a process of a fleet is started with. */
export interface FleetSettings {
  readonly engine:
    | { readonly kind: 'redis'; readonly url: string }
    | { readonly kind: 'lmdb'; readonly path: string }
  readonly leaseMs: number
  readonly limits: FleetLimits
  readonly networks: Sandbox['env']
}

/** What a process of a fleet is asked. */
export type FleetRequest = 'stats' | 'fleet-stats' | 'flush' | 'close'

/** What a process of a fleet answers, and reports by itself. */
export type FleetMessage =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'stats'; readonly stats: Stats }
  | { readonly kind: 'fleet-stats'; readonly stats: Stats | undefined }
  | { readonly kind: 'flushed'; readonly isFlushed: boolean }
  | { readonly kind: 'closed'; readonly isClosed: boolean; readonly stats: Stats }
  | { readonly kind: 'error'; readonly message: string }
  /** The outbox has answered for the impressions of these campaigns. */
  | { readonly kind: 'stored'; readonly campaignIds: readonly (string | number)[] }
  | FleetOutcome

/** Any outcome but `delivered`. */
export interface FleetOutcome {
  readonly kind: 'outcome'
  readonly outcome: Outcome
  readonly reason: string
  readonly network: string
  readonly campaignId: string | number
}

/** The campaign with this number, in Closient's format. */
export function formatClosientId(number: number): string {
  return toShortuuid(`00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`) ?? ''
}
