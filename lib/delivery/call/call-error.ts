/** Why a call got no answer. The message names the host and port, and never contains credentials. */
export class CallError extends Error {
  override readonly name = 'CallError'
  /** Node's or undici's code, such as `ECONNREFUSED`. */
  readonly code: string | undefined

  /** @param peer the host and port that were called */
  constructor(cause: Error & { code?: string }, peer: string) {
    // Other properties of the cause are left behind: they may hold parts of an answer.
    super(`${describeCause(cause)} (${peer})`)
    this.code = cause.code
  }
}

export class CallTimeoutError extends Error {
  readonly code = 'ETIMEDOUT'
}

/** Of one host with many addresses. */
const MAX_SHOWN_ERRORS = 4

/** The message of an error; if none of a host's addresses could be reached, one for each. */
export function describeCause(cause: unknown): string {
  const errors = cause instanceof AggregateError ? cause.errors : [cause]
  const messages = errors
    .slice(0, MAX_SHOWN_ERRORS)
    .map((error) => (error instanceof Error ? error.message : String(error)))
  return messages.filter((message) => message !== '').join(', ') || 'the connection failed'
}

/** Alerts with which TLS refuses a connection (RFC 8446 section 6.2), as OpenSSL names them. */
const REFUSAL =
  /_ALERT_(\w*CERTIFICATE\w*|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE|DECRYPT_ERROR|INSUFFICIENT_SECURITY|PROTOCOL_VERSION)$/

/**
 * Whether the server refused the TLS connection. In TLS 1.3 that may arrive after the request was
 * written, but the server has not read it.
 */
export function isTlsRefusal({ code }: { code?: string | undefined }): boolean {
  return code !== undefined && REFUSAL.test(code)
}
