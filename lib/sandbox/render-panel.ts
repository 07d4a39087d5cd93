import { ENS_FAULTS, FAULTS, type FaultButton, REFUSE, SPEND } from './fault-buttons.js'
import type { ServedNetwork } from './network.js'
import type { CampaignFields } from './network-rules.js'

/** A column of the table of impressions. A column without a field shows all other fields. */
interface Column {
  readonly heading: string
  readonly field?: string
  readonly kind: 'id' | 'text' | 'short'
}

/** The part of the page that shows one network. */
export interface Panel {
  readonly name: string
  readonly title: string
  readonly baseUrl: string
  readonly columns: readonly Column[]
  readonly faults: readonly FaultButton[]
  /** Whether it publishes rate-limit windows. */
  readonly hasWindows: boolean
}

const CAMPAIGN: Column = { heading: 'Campaign', field: 'campaignId', kind: 'id' }
const OWN_NETWORK = {
  columns: [CAMPAIGN, { heading: 'Other fields', kind: 'text' }],
  faults: FAULTS,
} as const

const BUILT_IN: ReadonlyMap<string, Omit<Panel, 'name' | 'baseUrl' | 'hasWindows'>> = new Map([
  [
    'ens',
    {
      title: 'ENS',
      columns: [
        CAMPAIGN,
        { heading: 'Placement', field: 'placement', kind: 'text' },
        { heading: 'Country', field: 'location', kind: 'short' },
        { heading: 'Device', field: 'device', kind: 'short' },
      ],
      faults: [...FAULTS, ...ENS_FAULTS],
    },
  ],
  [
    'closient',
    {
      title: 'Closient',
      columns: [
        CAMPAIGN,
        { heading: 'Offer', field: 'offerId', kind: 'id' },
        { heading: 'Search query', field: 'searchQuery', kind: 'text' },
      ],
      faults: FAULTS,
    },
  ],
])

export function createPanel(
  name: string,
  { baseUrl, budget }: Pick<ServedNetwork<CampaignFields>, 'baseUrl' | 'budget'>,
): Panel {
  const described = BUILT_IN.get(name) ?? { title: name, ...OWN_NETWORK }
  return { name, baseUrl, ...described, hasWindows: budget.length > 0 }
}

// All texts come from this package, except a network's name and port. `startSandbox` allows only
// letters, digits, `_` and `-` in a name, so nothing needs escaping.
export function renderPanel(panel: Panel, index: number): string {
  const { name, title, baseUrl, columns } = panel
  const id = `network-${name}`
  const fields = JSON.stringify(columns.map(({ field = null, kind }) => [field, kind]))
  return `<section class="card" data-network="${name}" data-series="${index}" data-title="${title}" data-columns='${fields}' aria-labelledby="${id}-title">
      <div class="head"><h2 id="${id}-title"><span class="swatch"></span>${title}</h2><code>${baseUrl}</code></div>
      <dl class="figures">
        <div><dt>Impressions counted</dt><dd class="impressions">–</dd></div>
        <div><dt>Calls</dt><dd class="calls">–</dd></div>
        <div><dt>Calls that failed</dt><dd class="failed">–</dd></div>
      </dl>
      <div class="halves">
        ${panel.hasWindows ? '<div><h3>Calls left</h3><div class="budget"></div></div>' : ''}
        <div>
          <h3 id="${id}-ends">How calls ended</h3>
          <table class="ends" aria-labelledby="${id}-ends">
            <thead class="aside"><tr><th scope="col">Result</th><th scope="col">Calls</th></tr></thead>
            <tbody></tbody>
          </table>
        </div>
      </div>
      <h3>Faults</h3>
      ${renderFaults(panel)}
      <p class="set">No fault set</p>
      <h3 id="${id}-latest">Latest impressions</h3>
      ${renderTable('latest', `${id}-latest`, [['Time', 'time'], ...columns.map(({ heading, kind }) => [heading, kind] as const)])}
      <h3 id="${id}-calls">Latest calls</h3>
      ${renderTable('call-list', `${id}-calls`, CALL_COLUMNS)}
    </section>`
}

const CALL_COLUMNS = [
  ['Time', 'time'],
  ['Ended', 'end'],
  ['Carried', 'text'],
  ['<span class="aside">Details</span>', 'open'],
] as const

function renderTable(
  className: string,
  titleId: string,
  columns: readonly (readonly [heading: string, className: string])[],
): string {
  const headings = columns.map(
    ([heading, kind]) => `<th scope="col" class="${kind}">${heading}</th>`,
  )
  return `<div class="scroll"><table class="${className}" aria-labelledby="${titleId}">
        <thead><tr>${headings.join('')}</tr></thead>
        <tbody></tbody>
      </table></div>`
}

function renderFaults({ name, faults, hasWindows }: Panel): string {
  const buttons = [...faults, REFUSE, ...(hasWindows ? [SPEND] : [])]
  const explained = buttons.map(({ label, does }) => `<dt>${label}</dt><dd>${does}</dd>`)
  return `<div class="buttons">${buttons.map((button, at) => renderFault(button, `network-${name}-fault-${at}`)).join('')}</div>
      <details class="explained"><summary>What the faults do</summary><dl>${explained.join('')}</dl></details>`
}

function renderFault({ label, does, fault, action }: FaultButton, tipId: string): string {
  const attributes =
    fault === undefined ? `class="${action}"` : `data-fault='${JSON.stringify(fault)}'`
  const state = action === 'spend' ? '' : 'aria-pressed="false"'
  return `<span class="fault"><button type="button" ${attributes} ${state} aria-describedby="${tipId}">${label}</button><span class="tip" role="tooltip" id="${tipId}">${does}</span></span>`
}
