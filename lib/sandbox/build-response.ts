import type { Fault } from './fault.js'
import type { NetworkRules, RequestDecision } from './network-rules.js'
import type { SandboxResponse } from './sandbox-response.js'

/** How many of a call's accepted impressions are counted, whatever response the caller gets. */
export function limitCounted(accepted: number, fault: Fault | undefined): number {
  const counts = fault?.counts ?? countsByDefault(fault)
  if (typeof counts === 'number') return Math.min(counts, accepted)
  return counts ? accepted : 0
}

function countsByDefault(fault: Fault | undefined): boolean {
  if (fault?.status === undefined) return true
  if (fault.reset === 'after-read' || fault.hang || fault.raw !== undefined) return true
  return isSuccess(fault.status)
}

/** The network's response to a call, changed as the fault specifies. */
export function buildResponse<Fields>(
  rules: NetworkRules<Fields>,
  decision: RequestDecision<Fields>,
  counted: number,
  fault: Fault | undefined,
): SandboxResponse {
  if (fault === undefined) return decision.buildResponse(counted)
  const normal =
    fault.status === undefined || isSuccess(fault.status)
      ? decision.buildResponse(counted)
      : rules.buildErrorResponse(fault.status, fault.headers?.['retry-after'])
  const { body = normal.body } = fault
  return {
    status: fault.status ?? normal.status,
    headers: overrideHeaders(normal.headers, fault.headers),
    body: typeof body === 'string' ? body : JSON.stringify(body),
  }
}

function overrideHeaders(
  normal: Readonly<Record<string, string>>,
  overrides: Readonly<Record<string, string | null>> = {},
): Record<string, string> {
  const headers: Record<string, string> = { ...normal }
  for (const [name, value] of Object.entries(overrides)) {
    if (value === null) delete headers[name]
    else headers[name] = value
  }
  return headers
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300
}
