/** The shortuuid's 57 digits, in the order of closient.txt's pattern; I, O, l, 0 and 1 are left out. */
const DIGITS = '23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const BASE = BigInt(DIGITS.length)
const LENGTH = 22
const LIMIT = 1n << 128n

const SHORT = new RegExp(`^[${DIGITS}]{${LENGTH}}$`)
const CANONICAL = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * A Closient id as the network names the row: its shortuuid. The canonical UUID is accepted on
 * input as well (closient.txt, `offer_id`). `undefined`: not an id, or one that no UUID has,
 * since 22 digits hold a little more than 128 bits.
 */
export function closientId(text: string): string | undefined {
  if (CANONICAL.test(text)) return encode(BigInt(`0x${text.replaceAll('-', '')}`))
  return SHORT.test(text) && decode(text) < LIMIT ? text : undefined
}

function encode(value: bigint): string {
  let digits = ''
  for (let rest = value; rest > 0n; rest /= BASE) {
    digits = DIGITS.charAt(Number(rest % BASE)) + digits
  }
  return digits.padStart(LENGTH, DIGITS.charAt(0))
}

function decode(text: string): bigint {
  let value = 0n
  for (const digit of text) value = value * BASE + BigInt(DIGITS.indexOf(digit))
  return value
}
