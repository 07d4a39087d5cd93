import { type Dispatcher, getGlobalDispatcher, request } from 'undici'
import type { RunningContestant } from './contestant.js'
import { createEnsInput, type EnsBenchInput } from './impression-inputs.js'

const headers = { authorization: 'Bearer bench', 'content-type': 'application/json' }

const PATH = '/api/v1/campaigns/impression'

async function postWithFetch(url: string, input: EnsBenchInput): Promise<void> {
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(input) })
  await response.arrayBuffer()
}

async function postWithRequest(url: string, input: EnsBenchInput): Promise<void> {
  const { body } = await request(url, { method: 'POST', headers, body: JSON.stringify(input) })
  await body.dump()
}

export function startFetch(sinkUrl: string): RunningContestant {
  const url = `${sinkUrl}${PATH}`
  return {
    createInput: createEnsInput,
    track: (input: EnsBenchInput) => void postWithFetch(url, input).catch(() => {}),
  }
}

export function startAwaitedFetch(sinkUrl: string): RunningContestant {
  const url = `${sinkUrl}${PATH}`
  return {
    createInput: createEnsInput,
    track: () => {},
    trackBeforeRender: async (inputs: readonly EnsBenchInput[]) => {
      await Promise.allSettled(inputs.map((input) => postWithFetch(url, input)))
    },
  }
}

export function startRequest(sinkUrl: string): RunningContestant {
  const url = `${sinkUrl}${PATH}`
  return {
    createInput: createEnsInput,
    track: (input: EnsBenchInput) => void postWithRequest(url, input).catch(() => {}),
  }
}

/** The cheapest way to send a call with undici: no promise, no stream. */
export function startDispatch(sinkUrl: string): RunningContestant {
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart() {},
    onResponseStart() {},
    onResponseData() {},
    onResponseEnd() {},
    onResponseError() {},
  }
  return {
    createInput: createEnsInput,
    track(input: EnsBenchInput) {
      const body = JSON.stringify(input)
      getGlobalDispatcher().dispatch(
        { origin: sinkUrl, path: PATH, method: 'POST', headers, body },
        handler,
      )
    },
  }
}
