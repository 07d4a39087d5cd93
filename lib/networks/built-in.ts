import { z } from 'zod'
import { wholeNumber } from '../check-options.js'
import { ConfigurationError } from '../errors.js'
import { checkBaseUrl } from './base-url.js'
import type { Flush } from './network.js'

/** The options that the networks of this package share. */
export interface BuiltInOptions {
  /** Default: the environment's `ENS_API_KEY` or `CLOSIENT_API_KEY`. */
  apiKey?: string | undefined
  /** Default: the environment's `ENS_BASE_URL` or `CLOSIENT_BASE_URL`, then the published host. */
  baseUrl?: string | undefined
  /** When impressions leave: as they occur, or once the response has been written whole. */
  flush?: Flush | undefined
  /**
   * What becomes of an impression that was sent and whose answer was lost. `'resend'` sends it
   * again, so that it may count twice. @default 'drop'
   */
  onUncertain?: 'drop' | 'resend' | undefined
  /** Most calls under way at once. Default, and the most allowed: 128 for ENS, 8 for Closient. */
  connections?: number | undefined
}

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
export function requireKey(name: string, given: string | undefined): string {
  const variable = keyVariable(name)
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
export function keyVariable(name: string): string {
  return `${name.toUpperCase()}_API_KEY`
}

/**
 * The base URL given, else the environment's, else the network's published host.
 *
 * @throws {ConfigurationError} that names where the wrong one comes from
 */
export function baseUrlOf(name: string, given: string | undefined, published: string): string {
  if (given !== undefined) return checkBaseUrl(`${name}(): baseUrl`, given, 'invalid-options')
  const variable = `${name.toUpperCase()}_BASE_URL`
  const url = process.env[variable]
  return url ? checkBaseUrl(variable, url, 'invalid-options') : published
}
