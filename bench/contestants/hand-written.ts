import { request } from 'undici'
import type { Contestant, Counting } from './contestant.js'
import { ensInputOf } from './own.js'

type EnsInput = ReturnType<typeof ensInputOf>

const headers = { authorization: 'Bearer bench', 'content-type': 'application/json' }

const urlOf = (sinkUrl: string) => `${sinkUrl}/api/v1/campaigns/impression`

async function post(url: string, input: EnsInput): Promise<void> {
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(input) })
  await response.arrayBuffer()
}

async function requestPost(url: string, input: EnsInput): Promise<void> {
  const { body } = await request(url, { method: 'POST', headers, body: JSON.stringify(input) })
  await body.dump()
}

function startFetch(sinkUrl: string): Counting {
  const url = urlOf(sinkUrl)
  return {
    inputOf: ensInputOf,
    track: (input: EnsInput) => void post(url, input).catch(() => {}),
  }
}

function startAwaitedFetch(sinkUrl: string): Counting {
  const url = urlOf(sinkUrl)
  return {
    inputOf: ensInputOf,
    track: () => {},
    trackFirst: async (inputs: readonly EnsInput[]) => {
      await Promise.allSettled(inputs.map((input) => post(url, input)))
    },
  }
}

function startRequest(sinkUrl: string): Counting {
  const url = urlOf(sinkUrl)
  return {
    inputOf: ensInputOf,
    track: (input: EnsInput) => void requestPost(url, input).catch(() => {}),
  }
}

/** The ways in which it is done by hand today, each impression a call to ENS. */
export const handWritten = {
  fetch: { label: 'fetch, not awaited', impressions: 3, wire: 'ens', start: startFetch },
  awaitedFetch: { label: 'fetch, awaited', impressions: 3, wire: 'ens', start: startAwaitedFetch },
  request: {
    label: 'undici.request, not awaited',
    impressions: 3,
    wire: 'ens',
    start: startRequest,
  },
} satisfies Record<string, Contestant>
