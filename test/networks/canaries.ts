import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { closient } from '../../lib/networks/closient.js'
import { ens } from '../../lib/networks/ens.js'
import type { Network } from '../../lib/networks/network.js'

/** Keys with characters that URLs, JSON and HTML write in other ways. */
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

/** A key in the forms in which a text may hold it. */
export function formsOf(key: string): string[] {
  return [
    key,
    encodeURIComponent(key),
    JSON.stringify(key).slice(1, -1),
    inspect(key).slice(1, -1),
    key.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
    Buffer.from(key).toString('base64').replace(/=+$/, ''),
    // Half of a key is a key half found out.
    key.slice(0, 18),
  ]
}

const FORMS = KEYS.flatMap(formsOf)

/** Everything that anyone gets to see of `value`, as text. */
export function looksAt(value: unknown): string {
  const everything = { showHidden: true, maxStringLength: null, maxArrayLength: null } as const
  const looks = [
    attempt(() => String(value)),
    inspect(value),
    inspect(value, { ...everything, depth: null, getters: true, showProxy: true }),
  ]
  if (value instanceof Error) looks.push(value.message, value.stack ?? '', String(value.cause))
  looks.push(attempt(() => JSON.stringify(value)))
  if (typeof value === 'object' && value !== null) {
    for (const entry of Object.entries(value)) looks.push(attempt(() => String(entry)))
  }
  return looks.join('\n')
}

/** What goes in circles, or has no text, shows nothing. */
function attempt(look: () => string | undefined): string {
  try {
    return look() ?? ''
  } catch {
    return ''
  }
}

/** @throws if a text holds one of the keys in any form */
export function assertSecret(text: string, where: string): void {
  for (const form of FORMS) {
    const at = text.indexOf(form)
    const context = text.slice(Math.max(0, at - 80), at + 60)
    assert.equal(at, -1, `${where} shows a key: …${context}…`)
  }
}
