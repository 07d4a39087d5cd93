import type { ServerResponse } from 'node:http'

const PATTERNS = {
  'cache-control': /^cache-control:(.*)/im,
  'content-type': /^content-type:(.*)/im,
}

const EVENT_STREAM = /^\s*text\/event-stream\b/i

/** `getHeader` does not know of headers that were given to `writeHead` alone; the head sent does. */
export function readResponseHeader(res: ServerResponse, name: keyof typeof PATTERNS): string {
  const value = res.getHeader(name)
  if (value !== undefined) return String(value)
  // With any header set before, `writeHead` sets its own as well, and the head need not be searched.
  if (res.getHeaderNames().length > 0) return ''
  const head = '_header' in res ? res._header : undefined
  return (typeof head === 'string' && PATTERNS[name].exec(head)?.[1]) || ''
}

/** Whether the response has begun as a stream of server-sent events, which has no end. */
export function isEventStream(res: ServerResponse): boolean {
  return res.headersSent && EVENT_STREAM.test(readResponseHeader(res, 'content-type'))
}
