import { PostHog } from 'posthog-node'
import type { RunningContestant } from './contestant.js'
import { createEnsInput, type EnsBenchInput, EVENT_NAME, VIEWER_ID } from './impression-inputs.js'

export function start(host: string): RunningContestant {
  const posthog = new PostHog('phc_bench', { host })
  return {
    createInput: createEnsInput,
    track: (properties: EnsBenchInput) =>
      posthog.capture({ distinctId: VIEWER_ID, event: EVENT_NAME, properties }),
    flush: () => posthog.flush(),
    close: (timeoutMs) => posthog.shutdown(timeoutMs),
  }
}
