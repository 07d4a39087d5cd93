/** Headers that hold no secret, so that a reason may repeat their words. */
const HARMLESS = new Set(['content-type', 'accept', 'user-agent'])

/** A network's words without the secrets of the request that they answer: some echo the key. */
export function redact(text: string, headers: Readonly<Record<string, string>>): string {
  let clean = text
  for (const [name, value] of Object.entries(headers)) {
    if (HARMLESS.has(name.toLowerCase())) continue
    // `Bearer <key>`: the scheme is no secret, the key is one with or without it.
    const secret = value.slice(value.lastIndexOf(' ') + 1)
    if (secret === '') continue
    clean = clean.replaceAll(secret, '[redacted]')
    // As an echoed URL or form has it.
    clean = clean.replaceAll(encodeURIComponent(secret.toWellFormed()), '[redacted]')
  }
  return clean
}
