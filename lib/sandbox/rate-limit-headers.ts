import { findMostRestrictive, type RateWindowState } from './rate-windows.js'

// The library parses these headers in lib/delivery/rate-limit. The sandbox writes them without
// sharing code with that parser, on purpose: it is an independent check of how they are read.

/**
 * A form in which a response reports the rate-limit windows.
 *
 * - `policy`: `RateLimit-Policy: 300;w=60, 10000;w=86400`
 * - `fields`: `RateLimit-Limit`, `-Remaining` and `-Reset` of the most restrictive window; the
 *   reset is in seconds from now
 * - `legacy`: the same as `X-RateLimit-*`; the reset is a Unix time in seconds
 * - `combined`: `RateLimit: "default";r=50;t=30`, as in later IETF drafts
 *
 * Closient documents the first three (https://docs.closient.com). The fourth is the successor of
 * `fields` in the IETF drafts.
 */
export type RateLimitForm = 'policy' | 'fields' | 'legacy' | 'combined'

export const DOCUMENTED_FORMS: readonly RateLimitForm[] = ['policy', 'fields', 'legacy']

export function buildRateLimitHeaders(
  states: readonly RateWindowState[],
  forms: readonly RateLimitForm[],
  nowMs: number,
): Record<string, string> {
  const tightest = findMostRestrictive(states)
  if (tightest === undefined) return {}
  const { limit, remaining, resetsAt } = tightest
  const resetSeconds = secondsUntil(resetsAt, nowMs)
  const headers: Record<string, string> = {}
  for (const form of forms) {
    if (form === 'policy') {
      headers['ratelimit-policy'] = states
        .map((state) => `${state.limit};w=${Math.ceil(state.windowMs / 1000)}`)
        .join(', ')
    } else if (form === 'fields') {
      headers['ratelimit-limit'] = `${limit}`
      headers['ratelimit-remaining'] = `${remaining}`
      headers['ratelimit-reset'] = `${resetSeconds}`
    } else if (form === 'legacy') {
      headers['x-ratelimit-limit'] = `${limit}`
      headers['x-ratelimit-remaining'] = `${remaining}`
      headers['x-ratelimit-reset'] = `${Math.ceil(resetsAt / 1000)}`
    } else {
      headers.ratelimit = `"default";r=${remaining};t=${resetSeconds}`
    }
  }
  return headers
}

/** Whole seconds, rounded up, so that a caller that waits this long finds the window reset. */
export function secondsUntil(atMs: number, nowMs: number): number {
  return Math.max(0, Math.ceil((atMs - nowMs) / 1000))
}
