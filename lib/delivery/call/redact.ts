/** Headers that hold no secret, so that a reason may repeat their values. */
const PUBLIC_HEADERS = new Set(['content-type', 'accept', 'user-agent'])

/** A shorter value is only redacted as a whole word: an API version is no key. */
const MIN_KEY_CHARACTERS = 8

/** Removes the secrets of a request from a network's text: some networks echo the key. */
export function redact(text: string, headers: Readonly<Record<string, string>>): string {
  let redacted = text
  for (const [name, value] of Object.entries(headers)) {
    if (PUBLIC_HEADERS.has(name.toLowerCase())) continue
    // Without the scheme of `Bearer <key>`, so that the key is found with and without it.
    const secret = value.slice(value.lastIndexOf(' ') + 1)
    if (secret === '') continue
    for (const encoded of encode(secret)) {
      redacted = redacted.replaceAll(toPattern(encoded), '[redacted]')
    }
  }
  return redacted
}

/** The secret as it is, in a URL, and in JSON. */
function encode(secret: string): ReadonlySet<string> {
  return new Set([
    secret,
    encodeURIComponent(secret.toWellFormed()),
    JSON.stringify(secret).slice(1, -1),
  ])
}

function toPattern(secret: string): string | RegExp {
  if (secret.length >= MIN_KEY_CHARACTERS) return secret
  const escaped = secret.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
  return new RegExp(`(?<![A-Za-z0-9])${escaped}(?![A-Za-z0-9])`, 'g')
}
