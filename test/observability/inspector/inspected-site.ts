import assert from 'node:assert/strict'
import type { Outcome } from '../../../lib/impression.js'
import type { CircuitState } from '../../../lib/observability/health.js'
import { VisibleSite } from '../../visibility/visible-site.js'

export const INSPECTOR = '/_visible/inspector'

/** One impression, as the inspector's data has it. */
export interface ShownImpression {
  readonly network: string
  readonly campaignId?: string | number
  readonly placement?: string
  readonly step: string
  readonly mark: string
  readonly state: string
  readonly reason: string
  readonly attempts: number
}

/** The inspector's data, as far as tests read it. */
export interface InspectorData {
  readonly requests: number
  readonly networks: readonly {
    readonly name: string
    readonly status?: string
    readonly reason?: string
    readonly circuit?: CircuitState
    readonly quota?: readonly { readonly limit: number; readonly remaining: number }[]
  }[]
  readonly outcomes: readonly { readonly outcome: Outcome; readonly counts: readonly number[] }[]
  readonly pageLoads: readonly {
    readonly page?: string
    readonly shortId: string
    readonly omitted: number
    readonly impressions: readonly ShownImpression[]
  }[]
}

/** Starts a site whose inspector everyone may see. */
export function startInspectedSite(
  options: NonNullable<Parameters<typeof VisibleSite.start>[0]> = {},
): Promise<VisibleSite> {
  return VisibleSite.start({ ...options, options: { inspector: true, ...options.options } })
}

export async function readInspector(site: VisibleSite, path = INSPECTOR): Promise<InspectorData> {
  const { status, text } = await site.request(`${path}?data`)
  assert.equal(status, 200)
  return JSON.parse(text)
}

/** Each impression of the latest page load: `ens delivered: passed at verdict`. */
export function describeLatest({ pageLoads }: InspectorData): string[] {
  const [latest] = pageLoads
  return (latest?.impressions ?? []).map(
    ({ network, state, mark, step }) => `${network} ${state}: ${mark} at ${step}`,
  )
}

/** Runs `task` while `NODE_ENV` has this value. */
export async function withNodeEnv<Result>(
  value: string,
  task: () => Promise<Result>,
): Promise<Result> {
  const before = process.env.NODE_ENV
  process.env.NODE_ENV = value
  try {
    return await task()
  } finally {
    if (before === undefined) delete process.env.NODE_ENV
    else process.env.NODE_ENV = before
  }
}
