import type { Answer, Verdict } from '../networks/verdict.js'
import type { CallResult } from './circuit-breaker.js'

const CALL_RESULTS: Readonly<Record<Verdict['kind'], CallResult>> = {
  delivered: 'answered',
  rejected: 'answered',
  split: 'answered',
  retry: 'refused',
  suspect: 'suspect',
  misconfigured: 'misconfigured',
  uncertain: 'ambiguous',
}

/** What a verdict on a call says about the network, for the circuit breaker. */
export function toCallResult(verdict: Verdict, answer: Answer | undefined): CallResult {
  const { kind } = verdict
  if (kind === 'split' && !answer) return 'unsent'
  const isPause = kind === 'retry' && (verdict.retryAfterMs !== undefined || answer?.status === 429)
  // A router that does not know the network, as during a deployment, may know it in a few seconds.
  const isUnroutable = kind === 'misconfigured' && !isAboutKey(answer)
  return isPause || isUnroutable ? 'paused' : CALL_RESULTS[kind]
}

function isAboutKey(answer: Answer | undefined): boolean {
  return answer?.status === 401 || answer?.status === 403
}
