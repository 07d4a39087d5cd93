import type * as registry from '../../lib/networks/index.js'
import type { Fields } from '../../lib/networks/network.js'

/** Inputs that the contract suite tries on a network. */
export interface NetworkSamples {
  /** Valid inputs that may share a call, each for a different campaign. */
  readonly valid: readonly [Fields, Fields, ...Fields[]]
  /** Pairs that spell the same campaign in two ways. */
  readonly spellings: readonly (readonly [Fields, Fields])[]
}

/** The documented values of a built-in network's options. */
export interface BuiltInSamples extends NetworkSamples {
  readonly publishedHost: string
  readonly maxConnections: number
}

/** The samples of every built-in network: one without samples does not compile. */
export const builtInSamples: Record<keyof typeof registry, BuiltInSamples> = {
  ens: {
    publishedHost: 'https://ads.enslive.live',
    maxConnections: 128,
    valid: [
      { campaignId: 7_777, placement: 'header_banner', location: 'US', device: 'mobile' },
      { campaignId: Number.MAX_SAFE_INTEGER, placement: 'ünï "quoted" \\ 😀' },
    ],
    spellings: [
      [
        { campaignId: 42, placement: 'a' },
        { campaignId: 42.0, placement: 'b', network: 'ens' },
      ],
    ],
  },
  closient: {
    publishedHost: 'https://www.closient.com',
    maxConnections: 8,
    valid: [
      { campaignId: 'mhvXdrZT4jP5T8vBxuvm75', searchQuery: 'muesli "bio" 😀' },
      { campaignId: 'a1b2c3d4-e5f6-7890-abcd-ef1234567890', searchQuery: 'muesli "bio" 😀' },
      {
        campaignId: '2222222222222222222222',
        offerId: 'f9e8d7c6-b5a4-3210-fedc-ba0987654321',
        searchQuery: 'muesli "bio" 😀',
      },
    ],
    spellings: [
      [
        { campaignId: '00000000-0000-0000-0000-000000000001' },
        { campaignId: '2222222222222222222223' },
      ],
      [
        { campaignId: 'A1B2C3D4-E5F6-7890-ABCD-EF1234567890' },
        { campaignId: 'a1b2c3d4-e5f6-7890-abcd-ef1234567890', offerId: null },
      ],
    ],
  },
}

export const acmeSamples: NetworkSamples = {
  valid: [{ campaignId: 'spring', slot: 'top' }, { campaignId: 'summer' }],
  spellings: [[{ campaignId: 'Spring' }, { campaignId: 'spring', slot: '' }]],
}

/**
 * The samples of a network.
 *
 * @throws if there are none, so that a network without samples fails and is never skipped
 */
export function findSamples<Samples>(
  samples: Readonly<Record<string, Samples>>,
  name: string,
): Samples {
  const found = samples[name]
  if (!found) throw new Error(`${name} needs samples: add them to test/networks/samples.ts`)
  return found
}
