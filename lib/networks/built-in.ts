import { z } from 'zod'
import { wholeNumber } from '../check-options.js'
import { ConfigurationError } from '../errors.js'
import { checkBaseUrl } from './base-url.js'

/** A header value that can be sent: visible ASCII, so that a pasted line break is noticed here. */
const KEY = /^[\x21-\x7e]+$/

export function builtInSchema(maxConnections: number) {
  return z.strictObject({
    apiKey: z.string().optional(),
    baseUrl: z.string().optional(),
    flush: z.enum(['immediate', 'finish']).optional(),
    onUncertain: z.enum(['drop', 'resend']).optional(),
    connections: wholeNumber(1, maxConnections).optional(),
  })
}

/**
 * The key given, else the environment's.
 *
 * @throws {ConfigurationError} that says how to set one, and never shows one
 */
export function resolveApiKey(name: string, given: string | undefined): string {
  const variable = apiKeyVariable(name)
  const key = given ?? process.env[variable]
  if (!key) {
    throw new ConfigurationError(
      'no-network',
      `${name}(): no API key: set ${variable} in the environment or pass ${name}({ apiKey })`,
    )
  }
  if (!KEY.test(key)) {
    throw new ConfigurationError(
      'invalid-options',
      `${given === undefined ? variable : `${name}(): apiKey`}: expected the key ` +
        'alone: no scheme before it, no space, line break or non-ASCII character in it',
    )
  }
  return key
}

/** The environment variable that holds a network's key. */
export function apiKeyVariable(name: string): string {
  return `${name.toUpperCase()}_API_KEY`
}

/**
 * The base URL given, else the environment's, else the network's published host.
 *
 * @throws {ConfigurationError} that names where the wrong one comes from
 */
export function resolveBaseUrl(name: string, given: string | undefined, published: string): string {
  if (given !== undefined) return checkBaseUrl(`${name}(): baseUrl`, given, 'invalid-options')
  const variable = `${name.toUpperCase()}_BASE_URL`
  const url = process.env[variable]
  return url ? checkBaseUrl(variable, url, 'invalid-options') : published
}
