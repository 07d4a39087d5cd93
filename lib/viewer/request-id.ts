const MAX_REQUEST_ID_CHARACTERS = 200
const VISIBLE_ASCII = /^[\x21-\x7e]+$/

/** Whether `value` may name a page load: an id may stem from a client, and becomes a key. */
export function isRequestId(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value.length <= MAX_REQUEST_ID_CHARACTERS &&
    VISIBLE_ASCII.test(value)
  )
}
