import type { Log } from '../logger.js'

/** Base64 or base64url (https://www.w3.org/TR/CSP3/#grammardef-nonce-source). */
const NONCE = /^[\w+/-]+=*$/

/**
 * Creates the tag that loads the client script.
 *
 * @param url must be safe in a quoted HTML attribute
 */
export function createScriptTag(url: string, nonce: unknown, log: Log): string {
  const isNonce = typeof nonce === 'string' && NONCE.test(nonce)
  if (nonce !== undefined && !isNonce) {
    log.warn('script-nonce', 'script(): nonce: expected base64; the attribute is omitted')
  }
  return `<script src="${url}"${isNonce ? ` nonce="${nonce}"` : ''} async></script>`
}
