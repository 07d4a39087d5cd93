import type { IncomingHttpHeaders } from 'node:http'
import { readUserAgent } from './user-agent.js'

/** Whether the request loads a page that nobody looks at yet: a prefetch, a prerender, a preview. */
export function isSpeculative(headers: IncomingHttpHeaders): boolean {
  const says = (name: string, purpose: RegExp) => {
    const value = headers[name]
    return typeof value === 'string' && purpose.test(value)
  }
  return (
    says('sec-purpose', /^prefetch\b/i) ||
    says('purpose', /^prefetch\b/i) ||
    says('x-purpose', /^(?:prefetch|preview)\b/i) ||
    says('x-moz', /^prefetch\b/i)
  )
}

/** Whether the User-Agent is a known robot's. A missing one is not. */
export function isBot(headers: IncomingHttpHeaders): boolean {
  return readUserAgent(headers['user-agent']).bot
}
