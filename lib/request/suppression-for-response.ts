import type { ServerResponse } from 'node:http'
import type { Suppression } from '../reason.js'
import type { Admission } from './admission.js'
import { isHtml } from './is-html.js'
import type { ResponseState } from './response-state.js'
import { isScriptedRedirect } from './scripted-redirect.js'

/** Why the response as it is now displays nothing; `undefined` if it does, or still may. */
export function suppressionForResponse(
  res: ServerResponse,
  state: ResponseState,
  { isSubresource }: Pick<Admission<never>, 'isSubresource'>,
): Suppression | undefined {
  if (state === 'aborted') return 'aborted'
  const suppression = suppressionForStatus(res.statusCode)
  if (suppression || state === 'open') return suppression
  if (isScriptedRedirect(res)) return 'redirect'
  return isSubresource && isHtml(res) ? 'not-a-page' : undefined
}

/** Why a response with this status is not a display; `undefined` if it is one. */
export function suppressionForStatus(status: number): Suppression | undefined {
  if (status >= 500) return 'server-error'
  // On a 304 the browser displays its cached copy of the page.
  if (status >= 300 && status < 400 && status !== 304) return 'redirect'
  return undefined
}
