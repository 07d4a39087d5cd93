/** Headers that hold no secret, so that a reason may repeat their words. */
const HARMLESS = new Set(['content-type', 'accept', 'user-agent'])

/** A shorter value is only redacted where it stands alone: an API's version is no key. */
const MIN_KEY_CHARACTERS = 8

/** A network's words without the secrets of the request that they answer: some echo the key. */
export function redact(text: string, headers: Readonly<Record<string, string>>): string {
  let clean = text
  for (const [name, value] of Object.entries(headers)) {
    if (HARMLESS.has(name.toLowerCase())) continue
    // `Bearer <key>`: the scheme is no secret, the key is one with or without it.
    const secret = value.slice(value.lastIndexOf(' ') + 1)
    if (secret === '') continue
    for (const form of encodingsOf(secret)) clean = clean.replaceAll(matchAlone(form), '[redacted]')
  }
  return clean
}

/** As it is, as an echoed URL has it, and as JSON in a text. */
function encodingsOf(secret: string): ReadonlySet<string> {
  return new Set([
    secret,
    encodeURIComponent(secret.toWellFormed()),
    JSON.stringify(secret).slice(1, -1),
  ])
}

function matchAlone(secret: string): string | RegExp {
  if (secret.length >= MIN_KEY_CHARACTERS) return secret
  const escaped = secret.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
  return new RegExp(`(?<![A-Za-z0-9])${escaped}(?![A-Za-z0-9])`, 'g')
}
