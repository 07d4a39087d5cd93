import type { Suppression } from '../reason.js'

/** Why a response with this status is not a display; `undefined` if it is one. */
export function suppressionForStatus(status: number): Suppression | undefined {
  if (status >= 500) return 'server-error'
  // On a 304 the browser displays its cached copy of the page.
  if (status >= 300 && status < 400 && status !== 304) return 'redirect'
  return undefined
}
