import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http'

type HeadArgument =
  | number
  | string
  | OutgoingHttpHeaders
  | readonly OutgoingHttpHeader[]
  | undefined

/**
 * Calls `task` with the status right before the head is sent, when every header is set: also those
 * that the application gives to `writeHead` itself.
 */
export function beforeHead(res: ServerResponse, task: (status: number) => void): void {
  const { writeHead } = res
  // Node sends every head through this method, also where the application leaves it to Node.
  res.writeHead = (...head: HeadArgument[]) => {
    const headers = head.at(-1)
    if (!res.headersSent) {
      if (typeof headers === 'object' && headers !== null) {
        merge(res, headers)
        head.pop()
      }
      task(Number(head[0]))
    }
    return Reflect.apply(writeHead, res, head)
  }
}

/** As Node itself does where some headers were set before. */
function merge(res: ServerResponse, headers: OutgoingHttpHeaders | readonly OutgoingHttpHeader[]) {
  if (!isList(headers)) {
    for (const [name, value] of Object.entries(headers)) {
      if (value !== undefined) res.setHeader(name, value)
    }
    return
  }
  const pairs = pairsOf(headers)
  for (const [name] of pairs) res.removeHeader(name)
  for (const [name, value] of pairs) {
    res.appendHeader(name, typeof value === 'number' ? String(value) : value)
  }
}

function isList(headers: object): headers is readonly OutgoingHttpHeader[] {
  return Array.isArray(headers)
}

/** Of `[name, value, name, value]`, and of `[[name, value], …]`, which Node takes as well. */
function pairsOf(list: readonly OutgoingHttpHeader[]): [string, OutgoingHttpHeader][] {
  const pairs: [string, OutgoingHttpHeader][] = []
  if (Array.isArray(list[0])) {
    for (const pair of list) {
      if (Array.isArray(pair)) pairs.push([String(pair[0]), String(pair[1])])
    }
    return pairs
  }
  for (let i = 0; i + 1 < list.length; i += 2) pairs.push([String(list[i]), list[i + 1] ?? ''])
  return pairs
}
