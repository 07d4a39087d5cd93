import amplitude from '@amplitude/analytics-node'
import type { RunningContestant } from './contestant.js'
import { createEnsInput, type EnsBenchInput, EVENT_NAME, VIEWER_ID } from './impression-inputs.js'

export function start(sinkUrl: string): RunningContestant {
  const client = amplitude.createInstance()
  client.init('bench', { serverUrl: `${sinkUrl}/2/httpapi` })
  const flush = async () => {
    await client.flush().promise
  }
  return {
    createInput: createEnsInput,
    track: (properties: EnsBenchInput) =>
      client.track(EVENT_NAME, properties, { device_id: VIEWER_ID }),
    flush,
    close: flush,
  }
}
