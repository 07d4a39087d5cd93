import amplitude from '@amplitude/analytics-node'
import { type EnsInput, EVENT, ensInputOf, VIEWER } from './ads.js'
import type { Counting } from './contestant.js'

export function start(sinkUrl: string): Counting {
  const client = amplitude.createInstance()
  client.init('bench', { serverUrl: `${sinkUrl}/2/httpapi` })
  const flush = async () => {
    await client.flush().promise
  }
  return {
    inputOf: ensInputOf,
    track: (properties: EnsInput) => client.track(EVENT, properties, { device_id: VIEWER }),
    flush,
    close: flush,
  }
}
