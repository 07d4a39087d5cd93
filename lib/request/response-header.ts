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

/** @param names in lower case */
export function hasAnyResponseHeader(res: ServerResponse, names: ReadonlySet<string>): boolean {
  return listResponseHeaders(res).some((name) => names.has(name))
}

/** The names of the response's headers, in lower case. */
function listResponseHeaders(res: ServerResponse): readonly string[] {
  const names = res.getHeaderNames()
  if (names.length > 0 || !('_header' in res)) return names
  // Headers that were given to `writeHead` alone.
  return (
    String(res._header)
      .toLowerCase()
      .match(/^[\w-]+(?=:)/gm) ?? []
  )
}

/** Whether the response has begun as a stream of server-sent events, which has no end. */
export function isEventStream(res: ServerResponse): boolean {
  return res.headersSent && EVENT_STREAM.test(readResponseHeader(res, 'content-type'))
}
