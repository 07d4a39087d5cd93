// By itself: the types of who uses the package should not load zod's.
import type { Flush } from './network.js'

/** The options that the networks of this package share. */
export interface BuiltInOptions {
  /** Default: the environment's `ENS_API_KEY` or `CLOSIENT_API_KEY`. */
  apiKey?: string | undefined
  /** Default: the environment's `ENS_BASE_URL` or `CLOSIENT_BASE_URL`, then the published host. */
  baseUrl?: string | undefined
  /** When impressions leave: as they occur, or once the response has been written whole. */
  flush?: Flush | undefined
  /**
   * What becomes of an impression that was sent and whose answer was lost. `'resend'` sends it
   * again, so that it may count twice. @default 'drop'
   */
  onUncertain?: 'drop' | 'resend' | undefined
  /** Most calls under way at once. Default, and the most allowed: 128 for ENS, 8 for Closient. */
  connections?: number | undefined
}
