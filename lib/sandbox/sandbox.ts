/**
 * Both networks on loopback, for development and tests.
 *
 * @module ad-impressions/sandbox
 */
import { ClosientNetwork, type ClosientSandbox } from './closient-network.js'
import { Control } from './control.js'
import { createEnsRules, type EnsFields } from './ens-rules.js'
import type { Counted } from './ledger.js'
import { LiveUpdates } from './live-updates.js'
import { LoopbackServer } from './loopback-server.js'
import { type SandboxNetwork, ServedNetwork } from './network.js'
import { DOCUMENTED_FORMS, type RateLimitForm } from './rate-limit-headers.js'
import type { RateWindow, RateWindowKind } from './rate-windows.js'

export type { ClosientFields } from './closient-batch.js'
export type { ClosientSandbox, CountedClosientImpression } from './closient-network.js'
export type { EnsFields } from './ens-rules.js'
export type { Fault } from './fault.js'
export type { FaultOptions, SetFault } from './fault-list.js'
export type { Counted, LedgerTotals } from './ledger.js'
export type { SandboxNetwork } from './network.js'
export type { RateLimitForm } from './rate-limit-headers.js'
export type { RateWindow, RateWindowKind, RateWindowState } from './rate-windows.js'
export type { Authorization, SandboxCall, SandboxCallEnd } from './sandbox-call.js'

/** One impression that the ENS sandbox counted. */
export type CountedEnsImpression = EnsFields & Counted

/** The options of `startSandbox()`. */
export interface SandboxOptions {
  /**
   * The port of the sandbox page on 127.0.0.1. ENS listens on the next port, and Closient on the
   * one after that. 0 selects three free ports.
   *
   * @default 0
   */
  readonly port?: number
  /** The clock for the ledger and the rate-limit windows, in ms since the epoch. @default Date.now */
  readonly now?: () => number
  /** How the sandbox of ENS behaves. */
  readonly ens?: {
    /** The only key that it accepts. @default 'sandbox-ens-key' */
    readonly apiKey?: string
  }
  /** How the sandbox of Closient behaves. */
  readonly closient?: {
    /** The only key that it accepts. @default 'csb_sandbox_key' */
    readonly apiKey?: string
    /** The rate limits of the key. @default 300 a minute and 10,000 a day, as Closient publishes */
    readonly windows?: readonly RateWindow[]
    /** Closient does not document when a window begins. @default 'fixed' */
    readonly windowKind?: RateWindowKind
    /** How responses report the windows; `[]`: not at all. @default ['policy', 'fields', 'legacy'] */
    readonly rateLimitHeaders?: readonly RateLimitForm[]
  }
  /** How many calls each network's ledger keeps. The oldest are dropped. @default 100_000 */
  readonly maxCalls?: number
  /** How many impressions each network's ledger keeps. @default 500_000 */
  readonly maxImpressions?: number
}

/** Both networks, on loopback. */
export interface Sandbox extends AsyncDisposable {
  /** The address of the page that shows what the networks receive. */
  readonly url: string
  /** The sandbox of ENS. */
  readonly ens: SandboxNetwork<CountedEnsImpression>
  /** The sandbox of Closient. */
  readonly closient: ClosientSandbox
  /** The environment variables that point `impressions()` at the sandbox. */
  readonly env: Readonly<
    Record<'ENS_API_KEY' | 'ENS_BASE_URL' | 'CLOSIENT_API_KEY' | 'CLOSIENT_BASE_URL', string>
  >
  /** Clears ledgers, totals and faults, and resets the rate limit. For use between tests. */
  reset(): void
  /** Makes both networks refuse connections. Resolves to a function that accepts them again. */
  refuse(): Promise<() => Promise<void>>
  /** Closes the idle connections of both networks. Resolves to their number. */
  closeIdleConnections(): Promise<number>
  /** Stops listening and destroys every connection. Further calls have no effect. */
  close(): Promise<void>
}

/** The rate limit that Closient publishes (https://docs.closient.com). */
const PUBLISHED_WINDOWS: readonly RateWindow[] = [
  { limit: 300, windowMs: 60_000 },
  { limit: 10_000, windowMs: 86_400_000 },
]

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
 * @throws the system error (`EADDRINUSE`) if a port is taken
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { ens, closient } = createNetworks(options)
  const updates = new LiveUpdates({ ens, closient }, options.now ?? Date.now)
  const reset = () => {
    for (const part of [ens, closient, updates]) part.reset()
  }
  const control = new Control({ ens, closient }, updates, reset)
  const page = new LoopbackServer(
    (request, response) => void control.handleRequest(request, response),
  )
  const close = async () => {
    await Promise.all([page.close(), ens.close(), closient.close()])
  }
  const { port = 0 } = options
  try {
    await listenOnPorts([page, ens, closient], port)
  } catch (error) {
    await close()
    throw error
  }

  return {
    url: page.url,
    ens,
    closient,
    env: buildEnv(ens, closient),
    reset,
    refuse: () => refuseConnections([ens, closient]),
    closeIdleConnections: () => closeIdleConnections([ens, closient]),
    close,
    [Symbol.asyncDispose]: close,
  }
}

function createNetworks(options: SandboxOptions) {
  const { now = Date.now, maxCalls = 100_000, maxImpressions = 500_000 } = options
  const bounds = { maxCalls, maxImpressions }
  const { apiKey: ensKey = 'sandbox-ens-key' } = options.ens ?? {}
  const {
    apiKey: closientKey = 'csb_sandbox_key',
    windows = PUBLISHED_WINDOWS,
    windowKind = 'fixed',
    rateLimitHeaders: forms = DOCUMENTED_FORMS,
  } = options.closient ?? {}
  return {
    ens: new ServedNetwork({ apiKey: ensKey, rules: createEnsRules(ensKey), now, bounds }),
    closient: new ClosientNetwork({
      apiKey: closientKey,
      windows,
      windowKind,
      forms,
      now,
      bounds,
    }),
  }
}

/** Uses consecutive ports from `port` on, or any free ports if it is 0. */
async function listenOnPorts(
  servers: readonly { listen(port: number): Promise<void> }[],
  port: number,
): Promise<void> {
  for (const [index, server] of servers.entries()) await server.listen(port && port + index)
}

function buildEnv(ens: SandboxNetwork, closient: SandboxNetwork): Sandbox['env'] {
  return {
    ENS_API_KEY: ens.apiKey,
    ENS_BASE_URL: ens.baseUrl,
    CLOSIENT_API_KEY: closient.apiKey,
    CLOSIENT_BASE_URL: closient.baseUrl,
  }
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
