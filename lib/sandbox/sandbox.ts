/**
 * Both networks on loopback, for development and tests.
 *
 * @module ad-impressions/sandbox
 */
import type { ClosientSandbox } from './closient-network.js'
import { Control } from './control.js'
import { createNetworks, type SandboxNetworks, toVariablePrefix } from './create-networks.js'
import type { CustomImpression } from './custom-network.js'
import type { EnsFields } from './ens-rules.js'
import type { Counted } from './ledger.js'
import { LiveUpdates } from './live-updates.js'
import { LoopbackServer } from './loopback-server.js'
import type { SandboxNetwork } from './network.js'
import type { SandboxOptions } from './sandbox-options.js'

export type { ClosientFields } from './closient-batch.js'
export type { ClosientSandbox, CountedClosientImpression } from './closient-network.js'
export type {
  CustomImpression,
  CustomNetworkOptions,
  CustomRequest,
  CustomVerdict,
} from './custom-network.js'
export type { EnsFields } from './ens-rules.js'
export type { Fault } from './fault.js'
export type { FaultOptions, SetFault } from './fault-list.js'
export type { Counted, LedgerTotals } from './ledger.js'
export type { SandboxNetwork } from './network.js'
export type { RateLimitForm } from './rate-limit-headers.js'
export type { RateWindow, RateWindowKind, RateWindowState } from './rate-windows.js'
export type { Authorization, SandboxCall, SandboxCallEnd } from './sandbox-call.js'
export type { SandboxOptions } from './sandbox-options.js'

/** One impression that the ENS sandbox counted. */
export type CountedEnsImpression = EnsFields & Counted

/** One impression that a network of your own counted. */
export type CountedCustomImpression = CustomImpression & Counted

/** The environment variables of a network: `my-net` has `MY_NET_API_KEY` and `MY_NET_BASE_URL`. */
export type NetworkVariables<Name extends string> = `${SnakeCase<Name>}_${'API_KEY' | 'BASE_URL'}`

type SnakeCase<Name extends string> = Name extends `${infer Start}-${infer Rest}`
  ? `${Uppercase<Start>}_${SnakeCase<Rest>}`
  : Uppercase<Name>

/**
 * Both networks, and your own, on loopback.
 *
 * @typeParam Name the names of your own networks
 */
export interface Sandbox<Name extends string = never> extends AsyncDisposable {
  /** The address of the page that shows what the networks receive. */
  readonly url: string
  /** The sandbox of ENS. */
  readonly ens: SandboxNetwork<CountedEnsImpression>
  /** The sandbox of Closient. */
  readonly closient: ClosientSandbox
  /** Your own networks. */
  readonly networks: Readonly<Record<Name, SandboxNetwork<CountedCustomImpression>>>
  /** The environment variables that point `impressions()` and your own networks at the sandbox. */
  readonly env: Readonly<Record<NetworkVariables<'ens' | 'closient' | Name>, string>>
  /** Clears ledgers, totals and faults, and resets the rate limit. For use between tests. */
  reset(): void
  /** Makes all networks refuse connections. Resolves to a function that accepts them again. */
  refuse(): Promise<() => Promise<void>>
  /** Closes the idle connections of all networks. Resolves to their number. */
  closeIdleConnections(): Promise<number>
  /** Stops listening and destroys every connection. Further calls have no effect. */
  close(): Promise<void>
}

/**
 * Starts both networks on 127.0.0.1. They behave as ENS (https://ads.enslive.live) and Closient
 * (https://docs.closient.com) document, record everything they receive in a ledger, and fail on
 * demand.
 *
 * ```ts
 * const sandbox = await startSandbox()
 * Object.assign(process.env, sandbox.env)
 * app.use(impressions())
 * // … request a page …
 * await sandbox.ens.received(1)
 * assert.equal(sandbox.ens.impressions[0]?.campaignId, 42)
 * await sandbox.close()
 * ```
 *
 * `networks` adds networks of your own, in the same form: `sandbox.networks.acme` is like
 * `sandbox.ens`, and `env` has `ACME_API_KEY` and `ACME_BASE_URL`.
 *
 * ```ts
 * const sandbox = await startSandbox({
 *   networks: {
 *     acme: {
 *       path: '/v1/impressions',
 *       verdict: ({ authorization }) =>
 *         authorization === 'right' ? { status: 204, counted: ['spring-seeds'] } : { status: 403 },
 *     },
 *   },
 * })
 * ```
 *
 * @throws {TypeError} that says what is wrong with a network of your own
 * @throws the system error (`EADDRINUSE`) if a port is taken
 */
export async function startSandbox<Name extends string = never>(
  options: SandboxOptions<Name> = {},
): Promise<Sandbox<Name>> {
  const networks = createNetworks(options)
  const all = [...networks.all.values()]
  const custom: Record<string, SandboxNetwork<CountedCustomImpression>> = Object.fromEntries(
    networks.custom,
  )
  const updates = new LiveUpdates(networks.all, options.now ?? Date.now)
  const reset = () => {
    for (const part of [...all, updates]) part.reset()
  }
  const control = new Control(networks, updates, reset)
  const page = new LoopbackServer(
    (request, response) => void control.handleRequest(request, response),
  )
  const close = () => closeServers([page, ...all])
  await listenOnPorts([page, ...all], options.port ?? 0)
  return {
    url: page.url,
    ens: networks.ens,
    closient: networks.closient,
    networks: custom as Sandbox<Name>['networks'],
    env: buildEnv(networks.all) as Sandbox<Name>['env'],
    reset,
    refuse: () => refuseConnections(all),
    closeIdleConnections: () => closeIdleConnections(all),
    close,
    [Symbol.asyncDispose]: close,
  }
}

type Closeable = { close(): Promise<void> }

/** Uses consecutive ports from `port` on, or any free ports if it is 0. Closes all if one is taken. */
async function listenOnPorts(
  servers: readonly (Closeable & { listen(port: number): Promise<void> })[],
  port: number,
): Promise<void> {
  try {
    for (const [index, server] of servers.entries()) await server.listen(port && port + index)
  } catch (error) {
    await closeServers(servers)
    throw error
  }
}

async function closeServers(servers: readonly Closeable[]): Promise<void> {
  await Promise.all(servers.map((server) => server.close()))
}

function buildEnv(networks: SandboxNetworks['all']): Record<string, string> {
  const variables = [...networks].flatMap(([name, { apiKey, baseUrl }]) => {
    const prefix = toVariablePrefix(name)
    return [
      [`${prefix}_API_KEY`, apiKey],
      [`${prefix}_BASE_URL`, baseUrl],
    ]
  })
  return Object.fromEntries(variables)
}

type Connectable = Pick<SandboxNetwork, 'refuse' | 'closeIdleConnections'>

async function refuseConnections(networks: readonly Connectable[]): Promise<() => Promise<void>> {
  const resumes = await Promise.all(networks.map((network) => network.refuse()))
  return async () => {
    await Promise.all(resumes.map((resume) => resume()))
  }
}

async function closeIdleConnections(networks: readonly Connectable[]): Promise<number> {
  const closed = await Promise.all(networks.map((network) => network.closeIdleConnections()))
  return closed.reduce((sum, count) => sum + count, 0)
}
