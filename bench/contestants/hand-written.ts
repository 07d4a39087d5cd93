import { request } from 'undici'
import { type EnsInput, ensInputOf } from './ads.js'
import type { Counting } from './contestant.js'

const headers = { authorization: 'Bearer bench', 'content-type': 'application/json' }

const urlOf = (sinkUrl: string) => `${sinkUrl}/api/v1/campaigns/impression`

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
