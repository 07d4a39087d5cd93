import type { NetworkRequest } from './network.js'

/**
 * Returns a function that builds a `POST` request with a JSON body. All its requests share one
 * frozen headers object.
 */
export function createJsonPost(path: string, headers: Readonly<Record<string, string>>) {
  const allHeaders = Object.freeze({ ...headers, 'content-type': 'application/json' })
  return (body: unknown): NetworkRequest => ({
    method: 'POST',
    path,
    headers: allHeaders,
    body: JSON.stringify(body),
  })
}
