import type { RateWindowState } from '../../lib/sandbox/rate-windows.js'

/**
 * The form of the headers. `fields`: RateLimit-Limit, -Remaining and -Reset; `aliases`: the same with
 * `X-`; `none`; the others: drafts of draft-ietf-httpapi-ratelimit-headers.
 */
export type HeaderForm = 'fields' | 'draft 07' | 'draft 08' | 'aliases' | 'none'

/** Which window counts as the most restrictive one. All forms but draft 08 report only that. */
export type RestrictiveWindow = 'fewest calls left' | 'smallest share left'

const WINDOW_NAMES = ['burst', 'daily', 'third']

export function formatRateLimit(
  states: readonly RateWindowState[],
  nowMs: number,
  form: HeaderForm,
  reportedWindow: RestrictiveWindow,
): Record<string, string> {
  if (form === 'none') return {}
  if (form === 'draft 08') return formatDraft08(states, nowMs)
  const reported = findMostRestrictive(states, reportedWindow)
  if (!reported) return {}
  const { limit, remaining, resetsAt } = reported
  const resetSeconds = Math.ceil((resetsAt - nowMs) / 1_000)
  const date = new Date(nowMs).toUTCString()
  switch (form) {
    case 'fields':
      return {
        date,
        'ratelimit-policy': formatPolicy(states),
        'ratelimit-limit': `${limit}`,
        'ratelimit-remaining': `${remaining}`,
        'ratelimit-reset': `${resetSeconds}`,
      }
    case 'draft 07':
      return {
        date,
        'ratelimit-policy': formatPolicy(states),
        ratelimit: `limit=${limit}, remaining=${remaining}, reset=${resetSeconds}`,
      }
    case 'aliases':
      return {
        date,
        'x-ratelimit-limit': `${limit}`,
        'x-ratelimit-remaining': `${remaining}`,
        'x-ratelimit-reset': `${Math.ceil(resetsAt / 1_000)}`,
      }
  }
}

function findMostRestrictive(
  states: readonly RateWindowState[],
  restrictive: RestrictiveWindow,
): RateWindowState | undefined {
  const rank = ({ remaining, limit }: RateWindowState) =>
    restrictive === 'fewest calls left' ? remaining : remaining / limit
  const [first] = [...states].sort((one, other) => rank(one) - rank(other))
  return first
}

function formatPolicy(states: readonly RateWindowState[]): string {
  return states.map(({ limit, windowMs }) => `${limit};w=${windowMs / 1_000}`).join(', ')
}

/** Since draft 08, an answer can report every window. */
function formatDraft08(states: readonly RateWindowState[], nowMs: number): Record<string, string> {
  const formatList = (formatParameters: (state: RateWindowState) => string) =>
    states.map((state, index) => `"${WINDOW_NAMES[index]}";${formatParameters(state)}`).join(', ')
  return {
    'ratelimit-policy': formatList(({ limit, windowMs }) => `q=${limit};w=${windowMs / 1_000}`),
    ratelimit: formatList(
      ({ remaining, resetsAt }) => `r=${remaining};t=${Math.ceil((resetsAt - nowMs) / 1_000)}`,
    ),
  }
}
