import { mostRestrictive, type RateWindowState } from './rate-windows.js'

/**
 * A form in which an answer tells of the windows.
 *
 * - `policy`: `RateLimit-Policy: 300;w=60, 10000;w=86400`
 * - `fields`: `RateLimit-Limit`, `-Remaining` and `-Reset` of the most restrictive window, the
 *   reset in seconds from now
 * - `legacy`: the same as `X-RateLimit-*`, the reset as a Unix time in seconds
 * - `combined`: `RateLimit: "default";r=50;t=30`, as later IETF drafts have it
 *
 * closient.txt promises the first three; the fourth is what such networks move to.
 */
export type RateLimitForm = 'policy' | 'fields' | 'legacy' | 'combined'

/** The documented forms. */
export const DOCUMENTED_FORMS: readonly RateLimitForm[] = ['policy', 'fields', 'legacy']

export function rateLimitHeaders(
  states: readonly RateWindowState[],
  forms: readonly RateLimitForm[],
  now: number,
): Record<string, string> {
  const tightest = mostRestrictive(states)
  if (tightest === undefined) return {}
  const { limit, remaining, resetsAt } = tightest
  const seconds = secondsUntil(resetsAt, now)
  const headers: Record<string, string> = {}
  for (const form of forms) {
    if (form === 'policy') {
      headers['ratelimit-policy'] = states
        .map((state) => `${state.limit};w=${Math.ceil(state.windowMs / 1000)}`)
        .join(', ')
    } else if (form === 'fields') {
      headers['ratelimit-limit'] = `${limit}`
      headers['ratelimit-remaining'] = `${remaining}`
      headers['ratelimit-reset'] = `${seconds}`
    } else if (form === 'legacy') {
      headers['x-ratelimit-limit'] = `${limit}`
      headers['x-ratelimit-remaining'] = `${remaining}`
      headers['x-ratelimit-reset'] = `${Math.ceil(resetsAt / 1000)}`
    } else {
      headers.ratelimit = `"default";r=${remaining};t=${seconds}`
    }
  }
  return headers
}

/** Whole seconds, rounded up: a caller that waits for so long finds the window reset. */
export function secondsUntil(at: number, now: number): number {
  return Math.max(0, Math.ceil((at - now) / 1000))
}
