import { z } from 'zod'
import { ClosientNetwork } from './closient-network.js'
import { type CustomImpression, type CustomNetworkOptions, CustomRules } from './custom-network.js'
import { createEnsRules, type EnsFields } from './ens-rules.js'
import { describeProblems } from './json-input.js'
import { ServedNetwork } from './network.js'
import type { CampaignFields } from './network-rules.js'
import { DOCUMENTED_FORMS } from './rate-limit-headers.js'
import type { RateWindow } from './rate-windows.js'
import type { SandboxOptions } from './sandbox-options.js'

/** All networks of a sandbox, by name. They listen on consecutive ports in the order of `all`. */
export interface SandboxNetworks {
  readonly ens: ServedNetwork<EnsFields>
  readonly closient: ClosientNetwork
  readonly custom: ReadonlyMap<string, ServedNetwork<CustomImpression>>
  readonly all: ReadonlyMap<string, ServedNetwork<CampaignFields>>
}

/** The rate limit that Closient publishes (https://docs.closient.com). */
const PUBLISHED_WINDOWS: readonly RateWindow[] = [
  { limit: 300, windowMs: 60_000 },
  { limit: 10_000, windowMs: 86_400_000 },
]

const CUSTOM_NETWORKS = z
  .record(
    z
      .string()
      // As in `defineNetwork`.
      .regex(/^[a-z][a-z0-9_-]{0,31}$/, 'expected a short lower-case name such as "acme"')
      .refine((name) => name !== 'ens' && name !== 'closient', 'expected another name than ours'),
    z.strictObject({
      path: z.string().regex(/^\/[^?#]*$/, 'expected a path that starts with a slash'),
      apiKey: z.string().min(1).optional(),
      verdict: z.custom<CustomNetworkOptions['verdict']>(
        (value) => typeof value === 'function',
        'expected a function',
      ),
    }),
  )
  .refine(
    (networks) =>
      new Set(Object.keys(networks).map(toVariablePrefix)).size === Object.keys(networks).length,
    'expected names that differ in more than - and _, for their environment variables',
  )

/** @throws {TypeError} that says what is wrong with a custom network */
export function createNetworks(options: SandboxOptions): SandboxNetworks {
  const { now = Date.now, maxCalls = 100_000, maxImpressions = 500_000 } = options
  const shared = { now, bounds: { maxCalls, maxImpressions } }
  const { apiKey: ensKey = 'sandbox-ens-key' } = options.ens ?? {}
  const ens = new ServedNetwork({ ...shared, apiKey: ensKey, rules: createEnsRules(ensKey) })
  const {
    apiKey = 'csb_sandbox_key',
    windows = PUBLISHED_WINDOWS,
    windowKind = 'fixed',
    rateLimitHeaders: forms = DOCUMENTED_FORMS,
  } = options.closient ?? {}
  const closient = new ClosientNetwork({ ...shared, apiKey, windows, windowKind, forms })
  const custom = createCustomNetworks(options.networks, shared)
  const all = new Map<string, ServedNetwork<CampaignFields>>([
    ['ens', ens],
    ['closient', closient],
    ...custom,
  ])
  return { ens, closient, custom, all }
}

function createCustomNetworks(
  networks: SandboxOptions['networks'] = {},
  shared: Omit<ConstructorParameters<typeof ServedNetwork>[0], 'apiKey' | 'rules'>,
): Map<string, ServedNetwork<CustomImpression>> {
  const result = CUSTOM_NETWORKS.safeParse(networks)
  if (!result.success) {
    const problems = describeProblems(result.error, 'networks')
    throw new TypeError(`startSandbox({ networks }): ${problems}`)
  }
  const created = Object.entries(networks).map(([name, options]) => {
    const { apiKey = `sandbox-${name}-key` } = options
    const rules = new CustomRules(name, apiKey, options)
    return [name, new ServedNetwork({ ...shared, apiKey, rules })] as const
  })
  return new Map(created)
}

/** What the names of a network's environment variables begin with. */
export function toVariablePrefix(name: string): string {
  return name.toUpperCase().replaceAll('-', '_')
}
