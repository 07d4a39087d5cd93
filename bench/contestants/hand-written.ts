import { type Dispatcher, getGlobalDispatcher, request } from 'undici'
import { type EnsInput, ensInputOf } from './ads.js'
import type { Counting } from './contestant.js'

const headers = { authorization: 'Bearer bench', 'content-type': 'application/json' }

const PATH = '/api/v1/campaigns/impression'
const urlOf = (sinkUrl: string) => `${sinkUrl}${PATH}`

async function fetchPost(url: string, input: EnsInput): Promise<void> {
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(input) })
  await response.arrayBuffer()
}

async function requestPost(url: string, input: EnsInput): Promise<void> {
  const { body } = await request(url, { method: 'POST', headers, body: JSON.stringify(input) })
  await body.dump()
}

export function startFetch(sinkUrl: string): Counting {
  const url = urlOf(sinkUrl)
  return {
    inputOf: ensInputOf,
    track: (input: EnsInput) => void fetchPost(url, input).catch(() => {}),
  }
}

export function startAwaitedFetch(sinkUrl: string): Counting {
  const url = urlOf(sinkUrl)
  return {
    inputOf: ensInputOf,
    track: () => {},
    trackFirst: async (inputs: readonly EnsInput[]) => {
      await Promise.allSettled(inputs.map((input) => fetchPost(url, input)))
    },
  }
}

export function startRequest(sinkUrl: string): Counting {
  const url = urlOf(sinkUrl)
  return {
    inputOf: ensInputOf,
    track: (input: EnsInput) => void requestPost(url, input).catch(() => {}),
  }
}

/** The least that undici asks of who sends a call: without a promise and without a stream. */
export function startDispatch(sinkUrl: string): Counting {
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart() {},
    onResponseStart() {},
    onResponseData() {},
    onResponseEnd() {},
    onResponseError() {},
  }
  return {
    inputOf: ensInputOf,
    track(input: EnsInput) {
      const body = JSON.stringify(input)
      getGlobalDispatcher().dispatch(
        { origin: sinkUrl, path: PATH, method: 'POST', headers, body },
        handler,
      )
    },
  }
}
