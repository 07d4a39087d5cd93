/** An HTTP response as a network would send it, before a fault changes it. */
export interface SandboxResponse {
  readonly status: number
  /** Names are in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * The HTML page of a gateway in front of a network. It does not use the network's error format, and
 * does not reveal whether the request got through.
 */
export function buildGatewayPage(status: 502 | 504): SandboxResponse {
  const title = status === 502 ? '502 Bad Gateway' : '504 Gateway Time-out'
  return {
    status,
    headers: { 'content-type': 'text/html' },
    body: `<html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>\n`,
  }
}
