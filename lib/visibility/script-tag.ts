import type { Log } from '../logger.js'

/** As the Content Security Policy has it: base64, of either alphabet. */
const NONCE = /^[\w+/-]+=*$/

/**
 * The tag that loads the browser's half.
 *
 * @param address as it may stand in an attribute
 */
export function scriptTag(address: string, nonce: unknown, log: Log): string {
  const isNonce = typeof nonce === 'string' && NONCE.test(nonce)
  if (nonce !== undefined && !isNonce) {
    log.warn('script nonce', 'script(): nonce: expected base64; it is left out')
  }
  return `<script src="${address}"${isNonce ? ` nonce="${nonce}"` : ''} async></script>`
}
