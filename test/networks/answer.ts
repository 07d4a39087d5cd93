import type { Answer } from '../../lib/networks/answer.js'

/** Tue, 14 Nov 2023 22:13:20 GMT. */
export const ANSWERED_AT_MS = 1_700_000_000_000

/** An answer whose body is a text, or an object that is written as JSON. */
export function answer(
  status: number,
  body: string | object = '',
  headers: Answer['headers'] = {},
): Answer {
  return {
    status,
    headers,
    body: typeof body === 'string' ? body : JSON.stringify(body),
    atMs: ANSWERED_AT_MS,
  }
}
