import { z } from 'zod'
import { checkOptions, wholeNumber } from '../check-options.js'
import { ConfigurationError } from '../errors.js'
import { checkBaseUrl } from './check-base-url.js'
import { type ConnectionOptions, connectionShape } from './connection-options.js'
import type { Flush } from './network.js'

/** The options that all built-in networks share. */
export interface BuiltInOptions extends ConnectionOptions {
  /** Default: the environment variable of the network, e.g. `ENS_API_KEY`. */
  apiKey?: string | undefined
  /**
   * An https URL, or http on loopback. Default: the environment variable of the network, e.g.
   * `ENS_BASE_URL`, then the network's published host.
   */
  baseUrl?: string | undefined
  /**
   * When impressions are sent: `'immediate'` as they occur, `'finish'` once the response has been
   * written completely, or 30 seconds later if it has begun and is still open. A stream of
   * server-sent events has no end, so its impressions are sent as they occur.
   */
  flush?: Flush | undefined
  /**
   * What to do with an impression that was sent and whose answer was lost. `'resend'` sends it
   * again, so it may count twice. @default 'drop'
   */
  onUncertain?: 'drop' | 'resend' | undefined
  /** Most concurrent calls. The default is also the maximum. */
  connections?: number | undefined
}

/** The schema of `BuiltInOptions` for one network; a network with more options extends it. */
export function builtInSchema(defaults: { flush: Flush; connections: number }) {
  return z.strictObject({
    apiKey: z.string().optional(),
    baseUrl: z.string().optional(),
    ...connectionShape,
    flush: z.enum(['immediate', 'finish']).default(defaults.flush),
    onUncertain: z.enum(['drop', 'resend']).default('drop'),
    connections: wholeNumber(1, defaults.connections).default(defaults.connections),
  })
}

/**
 * Checks a built-in network's options and completes them from the environment.
 *
 * @param publishedHost the base URL in the network's documentation
 * @throws {ConfigurationError} if an option is invalid or there is no API key
 */
export function resolveBuiltInOptions<
  Settings extends Pick<BuiltInOptions, 'apiKey' | 'baseUrl'>,
  Name extends string,
>(name: Name, publishedHost: string, schema: z.ZodType<Settings>, options: unknown) {
  const settings = checkOptions(`${name}()`, schema, options)
  return {
    ...settings,
    name,
    apiKey: resolveApiKey(name, settings.apiKey),
    baseUrl: resolveBaseUrl(name, settings.baseUrl, publishedHost),
  }
}

/** Visible ASCII, which is what a header value can carry. Catches a line break pasted with a key. */
const API_KEY = /^[\x21-\x7e]+$/

function resolveApiKey(name: string, option: string | undefined): string {
  const variable = apiKeyVariable(name)
  const key = option ?? process.env[variable]
  if (!key) {
    throw new ConfigurationError(
      'no-network',
      `${name}(): no API key: set ${variable} in the environment or pass ${name}({ apiKey })`,
    )
  }
  if (!API_KEY.test(key)) {
    const subject = option === undefined ? variable : `${name}(): apiKey`
    throw new ConfigurationError(
      'invalid-options',
      `${subject}: expected only the key, without a scheme, spaces, line breaks or non-ASCII ` +
        'characters',
    )
  }
  return key
}

function resolveBaseUrl(name: string, option: string | undefined, publishedHost: string): string {
  if (option !== undefined) return checkBaseUrl(`${name}(): baseUrl`, option, 'invalid-options')
  const variable = baseUrlVariable(name)
  const url = process.env[variable]
  return url ? checkBaseUrl(variable, url, 'invalid-options') : publishedHost
}

/** The environment variable that holds a network's API key. */
export function apiKeyVariable(name: string): string {
  return `${name.toUpperCase()}_API_KEY`
}

/** The environment variable that holds a network's base URL. */
export function baseUrlVariable(name: string): string {
  return `${name.toUpperCase()}_BASE_URL`
}
