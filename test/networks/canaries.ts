import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { closient } from '../../lib/networks/closient.js'
import { ens } from '../../lib/networks/ens.js'
import type { Network } from '../../lib/networks/network.js'

/** Keys with characters that URLs, JSON and HTML encode. */
export const ENS_KEY = 'canary-ens-5f0e3a7c+9/c="\\<&>~'
export const CLOSIENT_KEY = 'csb_canary-closient-77ab+1/d="\\<&>~_x9'
export const KEYS = [ENS_KEY, CLOSIENT_KEY] as const

/** Both networks with these keys, at one base URL or at two. */
export function canaryNetworks(ensUrl: string, closientUrl = ensUrl): [Network, Network] {
  return [
    ens({ apiKey: ENS_KEY, baseUrl: ensUrl }),
    closient({ apiKey: CLOSIENT_KEY, baseUrl: closientUrl }),
  ]
}

/** The forms in which a text may contain a secret. */
export function listEncodings(secret: string): string[] {
  return [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    inspect(secret).slice(1, -1),
    secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
    Buffer.from(secret).toString('base64').replace(/=+$/, ''),
    // A part of the key is a leak, too.
    secret.slice(0, 18),
  ]
}

const ENCODED_KEYS = KEYS.flatMap(listEncodings)

/** Everything that inspecting, printing or serializing `value` reveals, as one text. */
export function inspectAll(value: unknown): string {
  const everything = { showHidden: true, maxStringLength: null, maxArrayLength: null } as const
  const texts = [
    textOrEmpty(() => String(value)),
    inspect(value),
    inspect(value, { ...everything, depth: null, getters: true, showProxy: true }),
  ]
  if (value instanceof Error) texts.push(value.message, value.stack ?? '', String(value.cause))
  texts.push(textOrEmpty(() => JSON.stringify(value)))
  if (typeof value === 'object' && value !== null) {
    for (const entry of Object.entries(value)) texts.push(textOrEmpty(() => String(entry)))
  }
  return texts.join('\n')
}

/** Empty for a value that cannot be converted, such as a cyclic one. */
function textOrEmpty(convert: () => string | undefined): string {
  try {
    return convert() ?? ''
  } catch {
    return ''
  }
}

/** @throws if the text contains one of the keys in any encoding */
export function assertSecret(text: string, where: string): void {
  for (const encoded of ENCODED_KEYS) {
    const at = text.indexOf(encoded)
    const context = text.slice(Math.max(0, at - 80), at + 60)
    assert.equal(at, -1, `${where} shows a key: …${context}…`)
  }
}
