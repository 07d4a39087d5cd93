import { CHART_SCRIPT } from './chart-script.js'

/**
 * The script of the inspector's page: fetches the data every second and shows it. Anyone who can
 * request a page chooses paths, and some ids: all of it is inserted as text, never as HTML.
 */
export const PAGE_SCRIPT = `
'use strict'
const POLL_MS = 1000
const STEPS = ['parse', 'admit', 'dedupe', 'send', 'verdict']
const MARKS = { passed: '✓', stopped: '✕', waiting: '…', unclear: '?', 'not reached': '–' }
const find = (selector) => document.querySelector(selector)
const formatNumber = (value) => value.toLocaleString('en')
const formatTime = (ms) => new Date(ms).toLocaleTimeString('en-GB')

function createElement(tag, attributes, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  element.append(...children)
  return element
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text
}

function formatDuration(ms) {
  if (ms < 1000) return ms + ' ms'
  const seconds = Math.round(ms / 1000)
  if (seconds < 120) return seconds + ' s'
  return seconds < 7200 ? Math.round(seconds / 60) + ' min' : Math.round(seconds / 3600) + ' h'
}

// Nodes stay in place while their data is the same, so that a selection and the scroll position last.
function showList(container, items, createNode) {
  const known = new Map([...container.children].map((node) => [node.dataset.key, node]))
  let next = container.firstElementChild
  for (const item of items) {
    const key = JSON.stringify(item)
    const node = known.get(key) || createNode(item)
    node.dataset.key = key
    known.delete(key)
    if (node === next) next = next.nextElementSibling
    else container.insertBefore(node, next)
  }
  for (const node of known.values()) node.remove()
}

// --- networks

function createTerm(name, ...values) {
  return [createElement('dt', {}, name), createElement('dd', {}, ...values)]
}

function createQuota({ windowMs, limit, remaining }) {
  const text = formatNumber(remaining) + ' of ' + formatNumber(limit) + ' calls in ' + formatDuration(windowMs)
  const meter = createElement('meter', { min: 0, max: limit, value: remaining, 'aria-label': text })
  return createTerm('Quota left', text, meter)
}

function createNetwork({ name, figures, status, reason, since, circuit, quota, oldestPendingMs }) {
  const { tracked, held, pending, viewability } = figures
  const rows = [createTerm('Tracked', formatNumber(tracked))]
  if (status) {
    rows.push(
      createTerm('Held', formatNumber(held)),
      createTerm('Pending', formatNumber(pending) + (pending > 0 ? ', the oldest for ' + formatDuration(oldestPendingMs) : '')),
      createTerm('Circuit', circuit),
      ...quota.map(createQuota),
      createTerm('Status since', formatTime(since)),
    )
  }
  if (viewability && viewability.issued > 0) {
    rows.push(createTerm('Visible', formatNumber(viewability.viewable) + ' viewable of ' +
      formatNumber(viewability.issued) + ' issued'))
  }
  const state = status ? [createElement('span', { class: 'state ' + status }, status)] : []
  return createElement('section', { class: 'card' },
    createElement('div', { class: 'row' }, createElement('h3', {}, name), ...state),
    createElement('p', { class: 'soft' }, reason || 'inputs that fit no network'),
    createElement('dl', {}, ...rows.flat()))
}

// --- page loads

// Explicit roles, because browsers drop those of a table that is not displayed as one.
function createStep(name, index, at, mark) {
  const result = index < at ? 'passed' : index > at ? 'not reached' : mark
  return createElement('td', { class: 'step', role: 'cell', 'data-step': name },
    createElement('span', { class: 'mark ' + result, 'aria-hidden': 'true' }, MARKS[result]),
    createElement('span', { class: 'aside' }, result))
}

function createImpression({ network, campaignId, placement, offerId, step, mark, state, reason, attempts, latencyMs }) {
  const display = [placement, offerId && 'offer ' + offerId].filter(Boolean).join(', ')
  const at = STEPS.indexOf(step)
  const calls = attempts + (attempts === 1 ? ' call' : ' calls')
  const facts = attempts > 0 ? [calls, latencyMs !== undefined && formatDuration(latencyMs)] : []
  return createElement('tr', { role: 'row', class: 'is-' + state.replace(' ', '-') },
    createElement('th', { scope: 'row', role: 'rowheader', class: 'what' },
      network + ' ' + (campaignId === undefined ? 'without a campaign' : campaignId),
      createElement('div', { class: 'soft' }, display)),
    ...STEPS.map((name, index) => createStep(name, index, at, mark)),
    createElement('td', { class: 'end-of-way', role: 'cell' },
      createElement('span', { class: 'state ' + state }, state), ' ',
      createElement('span', { class: 'soft' }, facts.filter(Boolean).join(', ')),
      createElement('div', {}, reason)))
}

function createHead() {
  const names = ['impression', ...STEPS, 'outcome and reason']
  const cells = names.map((name) => createElement('th', {
    scope: 'col', role: 'columnheader', class: STEPS.includes(name) ? 'step' : name === 'impression' ? 'what' : '',
  }, name))
  return createElement('thead', { role: 'rowgroup' }, createElement('tr', { role: 'row' }, ...cells))
}

function createPageLoad({ key, atMs, shortId, page, omitted, impressions }) {
  const title = page || 'Page of another process or request'
  const isDelivered = impressions.every(({ state }) => state === 'delivered')
  const notes = [formatTime(atMs), shortId && 'id ' + shortId, omitted > 0 && formatNumber(omitted) + ' earlier impressions are not shown']
  return createElement('article', { class: 'card' + (isDelivered ? ' is-delivered' : ''), 'aria-labelledby': 'page-' + key },
    createElement('div', { class: 'row' },
      createElement('h3', { id: 'page-' + key }, title),
      createElement('span', { class: 'soft' }, notes.filter(Boolean).join(' · '))),
    createElement('table', { role: 'table', 'aria-labelledby': 'page-' + key }, createHead(),
      createElement('tbody', { role: 'rowgroup' }, ...impressions.map(createImpression))))
}

function describeEmptiness({ requests, pageLoads }) {
  if (pageLoads.length > 0) return ''
  if (requests === 0) return 'No request has reached the middleware yet. Register impressions() before your routes, and open a page.'
  return formatNumber(requests) + (requests === 1 ? ' request has' : ' requests have') +
    ' reached the middleware, and no page has called trackImpression yet.'
}
${CHART_SCRIPT}
// --- updates

let isPaused = false

function showConnection(className, text) {
  find('#connection').className = className
  setText(find('#connection span:last-child'), text)
}

function show(data) {
  showList(find('#networks'), data.networks.filter(({ status, figures }) => status || figures.tracked > 0), createNetwork)
  showList(find('#page-loads'), data.pageLoads, createPageLoad)
  setText(find('#none'), describeEmptiness(data))
  showChart(data)
}

async function poll() {
  try {
    const response = await fetch(location.origin + location.pathname + '?data', { cache: 'no-store', signal: AbortSignal.timeout(10000) })
    if (!response.ok) throw new Error('refused')
    const data = await response.json()
    if (isPaused) return
    show(data)
    showConnection('live', 'Live')
  } catch {
    if (!isPaused) showConnection('lost', 'The server does not answer. Trying again')
  }
}

async function pollAgain() {
  if (!isPaused && !document.hidden) await poll()
  setTimeout(pollAgain, POLL_MS)
}

find('#pause').addEventListener('click', () => {
  isPaused = !isPaused
  find('#pause').setAttribute('aria-pressed', String(isPaused))
  showConnection('', isPaused ? 'Paused' : 'Connecting')
})
find('#hide-delivered').addEventListener('change', (event) => {
  document.body.classList.toggle('hides-delivered', event.target.checked)
})
pollAgain()
`
