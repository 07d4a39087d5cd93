import type { ServerResponse } from 'node:http'

/** What to answer a request with. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Not sent to a HEAD request. */
  readonly body?: Buffer
}

/** Answers, on a response of Node's, unless a middleware before has lost patience and done so. */
export function send(res: ServerResponse, { status, headers, body }: Reply): void {
  if (res.headersSent) return
  res.statusCode = status
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
  res.end(body)
}
