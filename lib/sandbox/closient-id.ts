// The library has its own shortuuid code in lib/networks. This second implementation is kept on
// purpose: the sandbox checks the library's ids independently, so the two must not share a bug.

/** The 57 digits of a shortuuid, in order. I, O, l, 0 and 1 are left out. */
const DIGITS = '23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const BASE = BigInt(DIGITS.length)
const LENGTH = 22
const LIMIT = 1n << 128n

const SHORT_FORM = new RegExp(`^[${DIGITS}]{${LENGTH}}$`)
const CANONICAL_FORM = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * Parses a Closient id and returns it as a shortuuid. Closient accepts the canonical UUID on input
 * as well (https://docs.closient.com, `offer_id`). Returns `undefined` if it is not an id, or if it
 * exceeds 128 bits, which 22 digits can.
 */
export function parseClosientId(text: string): string | undefined {
  if (CANONICAL_FORM.test(text)) return encodeShort(BigInt(`0x${text.replaceAll('-', '')}`))
  return SHORT_FORM.test(text) && decodeShort(text) < LIMIT ? text : undefined
}

function encodeShort(value: bigint): string {
  let digits = ''
  for (let rest = value; rest > 0n; rest /= BASE) {
    digits = DIGITS.charAt(Number(rest % BASE)) + digits
  }
  return digits.padStart(LENGTH, DIGITS.charAt(0))
}

function decodeShort(text: string): bigint {
  let value = 0n
  for (const digit of text) value = value * BASE + BigInt(DIGITS.indexOf(digit))
  return value
}
