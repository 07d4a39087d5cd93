import type { ServedNetwork } from './network.js'
import type { CampaignFields } from './network-rules.js'
import type { SandboxCall } from './sandbox-call.js'

const MAX_LISTED = 1000
const MAX_BODY_CHARACTERS = 20_000
/** Indentation makes deeply nested JSON a hundred times as long. */
const MAX_INDENTED_CHARACTERS = 100_000

/** A network's totals, faults, and latest calls and impressions, as JSON. */
export function describeNetwork(network: ServedNetwork<CampaignFields>): object {
  const { ledger, faults, refusing, totals, budget } = network
  return {
    totals,
    refusing,
    // JSON has no Infinity, so `null` means "until cleared".
    faults: faults.map(({ left, ...set }) => {
      return { ...set, left: Number.isFinite(left) ? left : null }
    }),
    ...(budget.length > 0 && { budget }),
    calls: ledger.calls(MAX_LISTED),
    impressions: ledger.impressions(MAX_LISTED),
  }
}

/** One call with its headers and body, for a reader. */
export function describeCall(call: SandboxCall): object {
  const { method, path, headers, bodyBytes, fault } = call
  const body = formatBody(call.body)
  const isCut = body.length > MAX_BODY_CHARACTERS
  return {
    method,
    path,
    headers,
    bodyBytes,
    fault,
    body: body.slice(0, MAX_BODY_CHARACTERS),
    isCut,
  }
}

function formatBody(body: unknown): string {
  if (body === undefined) return ''
  if (typeof body === 'string') return body
  const json = JSON.stringify(body)
  return json.length > MAX_INDENTED_CHARACTERS ? json : JSON.stringify(body, null, 2)
}
