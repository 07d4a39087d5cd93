import { BlockList, isIPv4 } from 'node:net'
import { ConfigurationError } from '../errors.js'
import { isLoopback } from './check-base-url.js'

export function isProxyUrl(url: string): boolean {
  try {
    const { protocol, username, password } = new URL(url)
    decodeURIComponent(username + password)
    return /^https?:$/.test(protocol)
  } catch {
    return false
  }
}

/**
 * The proxy through which a network is called: the option's, or the environment's if Node itself
 * would use that (`NODE_USE_ENV_PROXY=1`).
 *
 * @throws {ConfigurationError} without the URL, which may contain a password
 */
export function resolveProxy(option: string | undefined, baseUrl: string): string | undefined {
  const isHttp = new URL(baseUrl).protocol === 'http:'
  if (option !== undefined) {
    if (!isHttp || isLoopback(new URL(option).hostname)) return option
    throw new ConfigurationError(
      'insecure-base-url',
      'proxy: a proxy on another host needs an https baseUrl: it would see the API key',
    )
  }
  // With http the network is on loopback, and a proxy would look for it on its own.
  return isHttp ? undefined : readProxyFromEnvironment(baseUrl)
}

function readProxyFromEnvironment(baseUrl: string): string | undefined {
  const { env } = process
  const url = env.https_proxy || env.HTTPS_PROXY
  const isUsed = env.NODE_USE_ENV_PROXY === '1' && url
  if (!isUsed || isExcluded(new URL(baseUrl), env.no_proxy || env.NO_PROXY || '')) return undefined
  if (isProxyUrl(url)) return url
  throw new ConfigurationError(
    'invalid-options',
    'HTTPS_PROXY: expected the URL of an http or https proxy, such as http://proxy:3128',
  )
}

/** Whether a list such as `NO_PROXY` names the host, in the forms that Node's documentation lists. */
function isExcluded({ hostname, port }: URL, noProxy: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase()
  return noProxy
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      const [pattern = '', entryPort] = splitPort(entry)
      if (entryPort !== undefined && entryPort !== (port || '443')) return false
      return pattern === '*' || matchesHost(pattern, host)
    })
}

/** `host:port`, but not an IPv6 address without brackets. */
function splitPort(entry: string): readonly (string | undefined)[] {
  const [, pattern = entry, port] = /^(\[.*\]|[^:]*):(\d+)$/.exec(entry) ?? []
  return [pattern.replace(/^\[|\]$/g, ''), port]
}

/** A name or address, `.example.com` or `*.example.com`, or a range `10.0.0.1-10.0.0.9`. */
function matchesHost(pattern: string, host: string): boolean {
  const suffix = /^\*?(\..+)$/.exec(pattern)?.[1]
  if (suffix !== undefined) return host.endsWith(suffix) || host === suffix.slice(1)
  const [first = '', last = ''] = pattern.split('-')
  if (!isIPv4(first) || !isIPv4(last)) return pattern === host
  const range = new BlockList()
  range.addRange(first, last)
  return isIPv4(host) && range.check(host)
}
