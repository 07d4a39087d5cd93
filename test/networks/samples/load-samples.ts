import { builtInNetworks } from '../../../lib/networks/built-in-networks.js'
import type { BuiltInSamples, NetworkSamples } from './samples.js'

/**
 * The samples in the file named like the network. Rejects if there is no such file, so a network
 * without samples fails the suite instead of being skipped.
 */
export async function loadSamples(name: string): Promise<NetworkSamples> {
  const { samples } = await import(`./${name}.js`)
  return samples
}

/** Each built-in network with its factory and its samples. */
export async function loadBuiltIns() {
  return Promise.all(
    Object.entries(builtInNetworks).map(async ([name, create]) => {
      const samples = (await loadSamples(name)) as BuiltInSamples
      return { name, create, samples }
    }),
  )
}
