import type { Answer } from '../../lib/networks/answer.js'
import type { Network } from '../../lib/networks/network.js'

/** Sends the call that carries `items`, and returns the answer as the transport would. */
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
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: await response.text(),
    atMs: 1_700_000_000_000,
  }
}
