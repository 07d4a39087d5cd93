import { closient } from '../../lib/networks/closient.js'
import { ens } from '../../lib/networks/ens.js'
import type { Network } from '../../lib/networks/network.js'

/** Base URL and key of each network. A sandbox has both. */
type Connections = Readonly<
  Record<'ens' | 'closient', { readonly apiKey: string; readonly baseUrl: string }>
>

/** Creates both built-in networks, connected to a sandbox. */
export function createNetworks(sandbox: Connections): Network[] {
  return [
    ens({ apiKey: sandbox.ens.apiKey, baseUrl: sandbox.ens.baseUrl }),
    closient({ apiKey: sandbox.closient.apiKey, baseUrl: sandbox.closient.baseUrl }),
  ]
}
