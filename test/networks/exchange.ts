import type { Network } from '../../lib/networks/network.js'
import type { Answer } from '../../lib/networks/verdict.js'

/** Makes the call that carries `items`, as it is, and returns the answer as a transport would. */
export async function exchange<Item>(
  network: Network<Item>,
  items: readonly Item[],
): Promise<Answer> {
  const { method, path, headers, body } = network.request(items)
  const response = await fetch(network.baseUrl + path, {
    method,
    headers,
    body,
    redirect: 'manual',
  })
  const answered: Record<string, string> = {}
  response.headers.forEach((value, name) => {
    answered[name] = value
  })
  return {
    status: response.status,
    headers: answered,
    body: await response.text(),
    atMs: 1_700_000_000_000,
  }
}
