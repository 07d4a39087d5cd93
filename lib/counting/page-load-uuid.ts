import { createHash } from 'node:crypto'

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/**
 * The UUID of a page load in every process, whether it is named by its request id or by its page-load
 * cookie: the id itself if it is a UUID of version 4, and otherwise a hash of it in that form.
 */
export function toPageLoadUuid(requestId: string): string {
  if (UUID_V4.test(requestId)) return requestId
  const hex = createHash('sha256').update(requestId).digest('hex')
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-')
}
