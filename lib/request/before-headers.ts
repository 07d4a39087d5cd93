import type { ServerResponse } from 'node:http'

type Headers = Readonly<Record<string, number | string | readonly string[] | undefined>>

const listenersByResponse = new WeakMap<ServerResponse, (() => void)[]>()

/**
 * Calls `listener` once, just before the response's headers are sent. It sees the headers that the
 * app passes to `writeHead` as if they had been set with `setHeader`, and may change them.
 */
export function beforeHeaders(res: ServerResponse, listener: () => void): void {
  const listeners = listenersByResponse.get(res)
  if (listeners) {
    listeners.push(listener)
    return
  }
  listenersByResponse.set(res, [listener])
  const { writeHead } = res
  res.writeHead = (status: number, ...rest: unknown[]) => {
    const pending = listenersByResponse.get(res)?.splice(0) ?? []
    if (pending.length === 0 || res.headersSent)
      return Reflect.apply(writeHead, res, [status, ...rest])
    const [reason, headers] = rest
    res.statusCode = status
    // As Node does: the reason may be left out, or stand for nothing (undefined, null).
    const isReason = typeof reason === 'string'
    setHeaders(res, headers ?? (isReason ? undefined : reason))
    for (const run of pending) run()
    return Reflect.apply(writeHead, res, isReason ? [status, reason] : [status])
  }
}

/** Sets headers in any form that Node's `writeHead` takes: an object, or names and values in turn. */
function setHeaders(res: ServerResponse, headers: unknown): void {
  if (Array.isArray(headers)) {
    const pairs = toPairs(headers)
    for (const [name] of pairs) res.removeHeader(name)
    for (const [name, value] of pairs) res.appendHeader(name, value)
    return
  }
  for (const [name, value] of Object.entries((headers ?? {}) as Headers)) {
    if (name && value !== undefined) res.setHeader(name, value)
  }
}

/** `['a', '1', 'b', '2']` or `[['a', '1'], ['b', '2']]`. */
function toPairs(headers: readonly unknown[]): [string, string][] {
  if (headers.every(Array.isArray)) return headers as [string, string][]
  const pairs: [string, string][] = []
  for (let index = 0; index + 1 < headers.length; index += 2) {
    pairs.push([String(headers[index]), headers[index + 1] as string])
  }
  return pairs
}
