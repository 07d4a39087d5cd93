import { CALLS_SCRIPT } from './calls-script.js'
import { CHART_SCRIPT } from './chart-script.js'

/**
 * The page's script. Events contain untrusted input: anyone with the key chooses campaign ids,
 * placements and search queries. All of it is inserted as text; `innerHTML` is never used.
 */
export const PAGE_SCRIPT = `
'use strict'
const cards = new Map([...document.querySelectorAll('section[data-network]')].map((card) => [card.dataset.network, card]))
const networks = [...cards.keys()]
const nameNetwork = (network) => cards.get(network).dataset.title
const endTexts = {
  reset: 'reset by a fault', 'cut-off': 'cut off by a fault', hung: 'not answered',
  aborted: 'aborted by the caller',
}
const find = (selector, root) => (root || document).querySelector(selector)
const formatNumber = (value) => value.toLocaleString('en')
const announce = (message) => { find('#announcement').textContent = message }

function createElement(tag, className, text) {
  const element = document.createElement(tag)
  if (className) element.className = className
  if (text !== undefined) element.textContent = text
  return element
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text
}

// --- each network's card

function showFigures(root, totals) {
  const failed = Object.entries(totals.ends)
    .reduce((sum, [end, calls]) => sum + (end[0] === '2' ? 0 : calls), totals.resetConnections)
  setText(find('.impressions', root), formatNumber(totals.impressions))
  setText(find('.calls', root), formatNumber(totals.calls))
  setText(find('.failed', root), formatNumber(failed))
  find('.failed', root).classList.toggle('some', failed > 0)
}

function formatDuration(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000))
  if (seconds < 120) return seconds + ' s'
  const minutes = Math.ceil(seconds / 60)
  return minutes < 120 ? minutes + ' min' : Math.ceil(minutes / 60) + ' h'
}

function formatPeriod(ms) {
  return { 1000: 'a second', 60000: 'a minute', 3600000: 'an hour', 86400000: 'a day' }[ms] || 'per ' + formatDuration(ms)
}

function showBudget(root, budget) {
  if (find('.budget', root) === null) return
  find('.budget', root).replaceChildren(...budget.map((window) => {
    const row = createElement('div', window.remaining === 0 ? 'window spent' : 'window')
    const status = window.remaining === window.limit ? 'unused' : 'resets in ' + formatDuration(window.resetsInMs)
    row.append(
      createElement('span', '', formatNumber(window.remaining) + ' of ' + formatNumber(window.limit) + ' ' + formatPeriod(window.windowMs)),
      createElement('span', 'soft', status),
    )
    const bar = createElement('div', 'bar')
    const fill = createElement('i')
    fill.style.width = (100 * window.remaining / window.limit) + '%'
    bar.append(fill)
    row.append(bar)
    return row
  }))
}

function showEnds(root, totals) {
  const ends = Object.entries(totals.ends)
  if (totals.resetConnections > 0) ends.push(['reset before reading', totals.resetConnections])
  const rows = ends.map(([end, calls]) => {
    const row = createElement('tr')
    row.append(createElement('td', '', endTexts[end] || end), createElement('td', 'number', formatNumber(calls)))
    return row
  })
  find('.ends tbody', root).replaceChildren(...(rows.length > 0 ? rows : [createEmptyRow(2, 'No calls yet')]))
}

function createEmptyRow(columns, text) {
  const row = createElement('tr')
  const cell = createElement('td', 'none', text)
  cell.colSpan = columns
  row.append(cell)
  return row
}

const lastTotals = new Map()

function showLatest(network, root, state) {
  const total = state.totals.impressions
  if (total === lastTotals.get(network)) return
  const fresh = total - (lastTotals.get(network) ?? total)
  lastTotals.set(network, total)
  const columns = JSON.parse(root.dataset.columns)
  const rows = state.latest.map((impression, index) => {
    const row = createElement('tr', index < fresh ? 'new' : '')
    row.append(createElement('td', 'soft time', formatTime(impression.at)))
    for (const [field, kind] of columns) row.append(createCell(kind, field === null ? describeRest(impression) : impression[field]))
    return row
  })
  find('.latest tbody', root).replaceChildren(...(rows.length > 0 ? rows : [createEmptyRow(columns.length + 1, 'No impressions yet')]))
}

const formatTime = (at) => new Date(at).toLocaleTimeString('en-GB')

function createCell(kind, value) {
  if (value === undefined || value === null || value === '') return createElement('td', 'soft', '–')
  const cell = createElement('td', kind, String(value))
  if (kind !== 'short') cell.title = value
  return cell
}

function describeRest({ at, call, campaignId, ...rest }) {
  return Object.entries(rest).map(([name, value]) => name + ' ' + value).join(', ')
}

// --- faults

const buttons = [...document.querySelectorAll('button[data-fault]')]
let current = null

const findNetwork = (node) => node.closest('section').dataset.network

function findSetFault(button) {
  if (current === null) return null
  const wanted = button.dataset.fault
  return current[findNetwork(button)].faults.find((set) => set.left === null && JSON.stringify(set.fault) === wanted) || null
}

function describeFault(fault) {
  const known = buttons.find((button) => button.dataset.fault === JSON.stringify(fault))
  if (known) return known.textContent.toLowerCase()
  return Object.entries(fault)
    .map(([name, value]) => name + ' ' + (typeof value === 'string' ? value : JSON.stringify(value)))
    .join(', ')
    .slice(0, 120)
}

function showFaults(root, state) {
  for (const button of root.querySelectorAll('button[data-fault]')) {
    button.setAttribute('aria-pressed', String(findSetFault(button) !== null))
  }
  find('button.refuse', root).setAttribute('aria-pressed', String(state.refusing))
  const lines = state.faults.map(({ fault, left }) =>
    describeFault(fault) + (left === null ? '' : ', ' + left + (left === 1 ? ' more call' : ' more calls')))
  if (state.refusing) lines.unshift('connections refused')
  setText(find('.set', root), lines.length === 0 ? 'No fault set' : 'Set: ' + lines.slice(0, 4).join('; ') + (lines.length > 4 ? '; …' : ''))
}

async function sendCommand(method, path, body) {
  try {
    const response = await fetch(path, {
      method,
      headers: body ? { 'content-type': 'application/json' } : {},
      body: body ? JSON.stringify(body) : undefined,
    })
    if (!response.ok) announce((await response.json()).error)
    return response.ok
  } catch {
    announce('The sandbox does not respond')
    return false
  }
}

for (const button of buttons) {
  button.addEventListener('click', async () => {
    const network = findNetwork(button)
    const set = findSetFault(button)
    const done = set
      ? await sendCommand('DELETE', '/sandbox/faults?network=' + network + '&id=' + set.id)
      : await sendCommand('POST', '/sandbox/faults', { network, fault: JSON.parse(button.dataset.fault) })
    if (done) announce(nameNetwork(network) + ': ' + button.textContent + (set ? ' cleared' : ' set'))
  })
}
for (const button of document.querySelectorAll('button.refuse')) {
  button.addEventListener('click', async () => {
    const network = findNetwork(button)
    const refusing = button.getAttribute('aria-pressed') === 'true'
    const done = await sendCommand('POST', '/sandbox/connections', { network, state: refusing ? 'accept' : 'refuse' })
    if (done) announce(nameNetwork(network) + (refusing ? ' accepts connections again' : ' refuses connections'))
  })
}
find('button.spend')?.addEventListener('click', () => sendCommand('POST', '/sandbox/spend', { calls: 50 }))
find('button.reset').addEventListener('click', () => sendCommand('POST', '/sandbox/reset', {}))
// Escape hides the tooltip that is open, until another one is opened.
addEventListener('keydown', (event) => {
  if (event.key === 'Escape') document.body.classList.add('no-tips')
})
for (const event of ['pointerover', 'focusin']) {
  addEventListener(event, ({ target }) => {
    if (target.closest && target.closest('.fault')) document.body.classList.remove('no-tips')
  })
}

${CALLS_SCRIPT}
${CHART_SCRIPT}
// --- events

const connectionState = find('.state')

function showConnection(className, text) {
  connectionState.className = 'state ' + className
  setText(find('span:last-child', connectionState), text)
}

const events = new EventSource('/events')
events.addEventListener('open', () => showConnection('live', 'Live'))
events.addEventListener('error', () => showConnection('lost', 'The sandbox has stopped'))
events.addEventListener('message', (event) => {
  current = JSON.parse(event.data)
  for (const [network, root] of cards) {
    showFigures(root, current[network].totals)
    showBudget(root, current[network].budget)
    showEnds(root, current[network].totals)
    showLatest(network, root, current[network])
    showCalls(network, root, current[network].calls)
    showFaults(root, current[network])
  }
  drawChart()
})

// Announced to screen readers every 20 seconds; each impression would be too much.
setInterval(() => {
  if (current === null) return
  setText(find('#summary'), networks.map((network) =>
    nameNetwork(network) + ': ' + formatNumber(current[network].totals.impressions) + ' impressions').join(', '))
}, 20000)
`
