import { ClosientNetwork, type ClosientSandbox } from './closient-network.js'
import { Control } from './control.js'
import { type EnsShown, ensRules } from './ens.js'
import type { Counted } from './ledger.js'
import { Listener } from './listener.js'
import { Live } from './live.js'
import { type SandboxNetwork, ServedNetwork } from './network.js'
import { DOCUMENTED_FORMS, type RateLimitForm } from './rate-limit-headers.js'
import type { RateWindow, RateWindowKind } from './rate-windows.js'

export type { Authorization, CallEnd, SandboxCall } from './call.js'
export type { ClosientImpression, ClosientSandbox } from './closient-network.js'
export type { Fault, FaultOptions, SetFault } from './fault.js'
export type { Counted, LedgerTotals } from './ledger.js'
export type { SandboxNetwork } from './network.js'
export type { RateLimitForm } from './rate-limit-headers.js'
export type { RateWindow, RateWindowKind, RateWindowState } from './rate-windows.js'

/** One impression that ENS counted. */
export type EnsImpression = EnsShown & Counted

export interface SandboxOptions {
  /**
   * The page's port on 127.0.0.1; ENS's is the next one, and Closient's the one after. 0 takes any
   * three that are free.
   *
   * @default 0
   */
  readonly port?: number
  /** The clock that stamps the ledger and moves the windows, in ms since the epoch. @default Date.now */
  readonly now?: () => number
  readonly ens?: {
    /** @default 'sandbox-ens-key' */
    readonly apiKey?: string
  }
  readonly closient?: {
    /** @default 'csb_sandbox_key' */
    readonly apiKey?: string
    /** @default 300 a minute and 10,000 a day, as published */
    readonly windows?: readonly RateWindow[]
    /** closient.txt does not say when a window begins. @default 'fixed' */
    readonly windowKind?: RateWindowKind
    /** In which forms the windows are told; `[]` for none. @default ['policy', 'fields', 'legacy'] */
    readonly rateLimitHeaders?: readonly RateLimitForm[]
  }
  /** The calls that each network's ledger keeps: then the oldest are forgotten. @default 100_000 */
  readonly maxCalls?: number
  /** The impressions that each network's ledger keeps. @default 500_000 */
  readonly maxImpressions?: number
}

/** Both networks, on loopback. */
export interface Sandbox extends AsyncDisposable {
  /** Where the page is that shows what arrives. */
  readonly url: string
  readonly ens: SandboxNetwork<EnsImpression>
  readonly closient: ClosientSandbox
  /** What points `impressions()` at the sandbox: for `process.env`. */
  readonly env: Readonly<
    Record<'ENS_API_KEY' | 'ENS_BASE_URL' | 'CLOSIENT_API_KEY' | 'CLOSIENT_BASE_URL', string>
  >
  /** Forgets everything, between tests: ledgers, totals, faults, and what the windows have spent. */
  reset(): void
  /** Both networks refuse connections, until what this resolves to was called. */
  refuse(): Promise<() => Promise<void>>
  /** Both networks close their idle connections; resolves to how many there were. */
  closeIdleConnections(): Promise<number>
  /** Stops listening and severs every connection. More than once does no more. */
  close(): Promise<void>
}

/** The windows that closient.txt publishes. */
const PUBLISHED_WINDOWS: readonly RateWindow[] = [
  { limit: 300, windowMs: 60_000 },
  { limit: 10_000, windowMs: 86_400_000 },
]

/**
 * Starts both networks on 127.0.0.1, to the letter of ens.txt and closient.txt, with a ledger of
 * all that they receive and with faults on demand.
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
 * @throws the system's error (`EADDRINUSE`) when a port is taken
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { port = 0, now = Date.now, maxCalls = 100_000, maxImpressions = 500_000 } = options
  const bounds = { maxCalls, maxImpressions }
  const { apiKey: ensKey = 'sandbox-ens-key' } = options.ens ?? {}
  const {
    apiKey: closientKey = 'csb_sandbox_key',
    windows = PUBLISHED_WINDOWS,
    windowKind = 'fixed',
    rateLimitHeaders: forms = DOCUMENTED_FORMS,
  } = options.closient ?? {}

  const ens = new ServedNetwork({ apiKey: ensKey, rules: ensRules(ensKey), now, bounds })
  const closient = new ClosientNetwork({
    apiKey: closientKey,
    windows,
    windowKind,
    forms,
    now,
    bounds,
  })
  const live = new Live({ ens, closient }, now)
  const reset = () => {
    for (const part of [ens, closient, live]) part.reset()
  }
  const control = new Control({ ens, closient }, live, reset)
  const page = new Listener((request, response) => void control.serve(request, response))
  const close = async () => {
    await Promise.all([page.close(), ens.close(), closient.close()])
  }
  try {
    await page.listen(port)
    await ens.listen(port && port + 1)
    await closient.listen(port && port + 2)
  } catch (error) {
    await close()
    throw error
  }

  return {
    url: page.url,
    ens,
    closient,
    env: {
      ENS_API_KEY: ens.apiKey,
      ENS_BASE_URL: ens.baseUrl,
      CLOSIENT_API_KEY: closient.apiKey,
      CLOSIENT_BASE_URL: closient.baseUrl,
    },
    reset,
    async refuse() {
      const resume = await Promise.all([ens.refuse(), closient.refuse()])
      return async () => {
        await Promise.all(resume.map((listenAgain) => listenAgain()))
      }
    },
    async closeIdleConnections() {
      const closed = await Promise.all([
        ens.closeIdleConnections(),
        closient.closeIdleConnections(),
      ])
      return closed[0] + closed[1]
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
