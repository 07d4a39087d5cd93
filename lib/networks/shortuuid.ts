// Shortuuids as Python's `shortuuid` 1.0 and later encodes them, and as Closient's API expects
// them: the 128 bits of a UUID in base 57, most significant digit first, padded to 22 digits.

const ALPHABET = '23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const BASE = BigInt(ALPHABET.length)
const LENGTH = 22

const SHORTUUID = new RegExp(`^[${ALPHABET}]{${LENGTH}}$`)
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** 22 digits hold slightly more than 128 bits. No UUID is encoded above this. */
const LAST = encode(2n ** 128n - 1n)

function encode(value: bigint): string {
  let rest = value
  let digits = ''
  for (let place = 0; place < LENGTH; place += 1) {
    digits = ALPHABET.charAt(Number(rest % BASE)) + digits
    rest /= BASE
  }
  return digits
}

/** Whether `text` is the shortuuid of a UUID. */
export function isShortuuid(text: string): boolean {
  // The alphabet is in ASCII order, so strings of equal length compare as the numbers do.
  return text.length === LENGTH && SHORTUUID.test(text) && text <= LAST
}

/** Returns a shortuuid unchanged, encodes a canonical UUID, and returns `undefined` otherwise. */
export function toShortuuid(text: string): string | undefined {
  if (isShortuuid(text)) return text
  if (text.length === 36 && UUID.test(text)) return encode(BigInt(`0x${text.replaceAll('-', '')}`))
  return undefined
}
