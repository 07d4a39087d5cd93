import amplitude from '@amplitude/analytics-node'
import { Analytics } from '@segment/analytics-node'
import snowplow from '@snowplow/node-tracker'
import { PostHog } from 'posthog-node'
import { placementOf } from './ads.js'
import type { Contestant, Counting } from './contestant.js'
import { ensInputOf } from './own.js'

type Input = ReturnType<typeof ensInputOf>

const VIEWER = '7c9e6679-7425-40de-944b-e07fc1f90ae7'
const EVENT = 'Ad Impression'

function startSegment(host: string): Counting {
  const analytics = new Analytics({ writeKey: 'bench', host })
  // Without a listener its failures would end the process.
  analytics.on('error', () => {})
  return {
    inputOf: ensInputOf,
    track: (properties: Input) =>
      analytics.track({ anonymousId: VIEWER, event: EVENT, properties }),
    close: (timeout) => analytics.closeAndFlush({ timeout }),
  }
}

function startPosthog(host: string): Counting {
  const posthog = new PostHog('phc_bench', { host })
  return {
    inputOf: ensInputOf,
    track: (properties: Input) => posthog.capture({ distinctId: VIEWER, event: EVENT, properties }),
    close: (timeoutMs) => posthog.shutdown(timeoutMs),
  }
}

function startAmplitude(sinkUrl: string): Counting {
  const client = amplitude.createInstance()
  client.init('bench', { serverUrl: `${sinkUrl}/2/httpapi` })
  return {
    inputOf: ensInputOf,
    track: (properties: Input) => client.track(EVENT, properties, { device_id: VIEWER }),
    close: async () => {
      await client.flush().promise
    },
  }
}

function startSnowplow(endpoint: string): Counting {
  const tracker = snowplow.newTracker({ namespace: 'bench', appId: 'bench' }, { endpoint })
  return {
    inputOf: (campaign) => ({ campaignId: String(campaign), zoneId: placementOf(campaign) }),
    track: (input: snowplow.AdImpressionEvent) => {
      tracker.track(snowplow.buildAdImpression(input))
    },
    close: () => tracker.flush(),
  }
}

/** What people reach for instead, at its defaults. */
export const peers = {
  segment: {
    label: '@segment/analytics-node',
    impressions: 3,
    wire: 'segment',
    start: startSegment,
  },
  posthog: { label: 'posthog-node', impressions: 3, wire: 'posthog', start: startPosthog },
  amplitude: {
    label: '@amplitude/analytics-node',
    impressions: 3,
    wire: 'amplitude',
    start: startAmplitude,
  },
  snowplow: {
    label: '@snowplow/node-tracker',
    impressions: 3,
    wire: 'snowplow',
    start: startSnowplow,
  },
} satisfies Record<string, Contestant>
