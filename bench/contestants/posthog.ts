import { PostHog } from 'posthog-node'
import { type EnsInput, EVENT, ensInputOf, VIEWER } from './ads.js'
import type { Counting } from './contestant.js'

export function start(host: string): Counting {
  const posthog = new PostHog('phc_bench', { host })
  return {
    inputOf: ensInputOf,
    track: (properties: EnsInput) =>
      posthog.capture({ distinctId: VIEWER, event: EVENT, properties }),
    flush: () => posthog.flush(),
    close: (timeoutMs) => posthog.shutdown(timeoutMs),
  }
}
