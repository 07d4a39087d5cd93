import type { ServerResponse } from 'node:http'

/** The answer to a request. */
export interface Reply {
  /** The HTTP status. */
  readonly status: number
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>
  /** Node.js does not send it in answer to a HEAD request. */
  readonly body?: Buffer
}

/** Sends the answer, unless an earlier middleware, such as one with a timeout, has answered. */
export function sendReply(res: ServerResponse, { status, headers, body }: Reply): void {
  if (res.headersSent) return
  res.statusCode = status
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
  res.end(body)
}
