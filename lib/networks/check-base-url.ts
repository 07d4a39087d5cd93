import { ConfigurationError, type ConfigurationErrorCode } from '../errors.js'

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

/** Whether the hostname of a URL is this machine. */
export function isLoopback(hostname: string): boolean {
  return LOOPBACK.test(hostname)
}

/**
 * Checks a base URL and returns it without trailing slashes. It must be https, because the API key
 * is sent to it; http is allowed on loopback.
 *
 * @param subject where the URL comes from, e.g. `ENS_BASE_URL`
 * @throws {ConfigurationError} `code`, or `insecure-base-url`. The message shows the origin at most,
 *   because the rest of the URL may contain a secret.
 */
export function checkBaseUrl(
  subject: string,
  baseUrl: string,
  code: ConfigurationErrorCode,
): string {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new ConfigurationError(
      code,
      `${subject}: expected an absolute URL such as https://ads.example.com`,
    )
  }
  if (url.username || url.password || url.search || url.hash) {
    throw new ConfigurationError(
      code,
      `${subject}: expected a URL without user, password, query and fragment`,
    )
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    throw new ConfigurationError(
      'insecure-base-url',
      `${subject}: expected https, got ${url.origin}: the API key would be sent unencrypted`,
    )
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
}
