/**
 * The page's script. What arrives is hostile input (anyone with the key chooses campaign ids,
 * placements and search queries), so all of it goes in as text: there is no `innerHTML` here.
 */
export const PAGE_SCRIPT = `
'use strict'
const names = { ens: 'ENS', closient: 'Closient' }
const columns = {
  ens: [['campaignId', 'id'], ['placement', 'text'], ['location', ''], ['device', '']],
  closient: [['campaignId', 'id'], ['offerId', 'id'], ['searchQuery', 'text']],
}
const words = {
  reset: 'reset by a fault', 'cut-off': 'cut off by a fault', hung: 'never answered',
  aborted: 'caller hung up',
}
const find = (selector, root) => (root || document).querySelector(selector)
const card = (network) => find('section[data-network=' + network + ']')
const number = (value) => value.toLocaleString('en')
const say = (message) => { find('#said').textContent = message }

function element(tag, className, text) {
  const made = document.createElement(tag)
  if (className) made.className = className
  if (text !== undefined) made.textContent = text
  return made
}

function put(node, text) {
  if (node.textContent !== text) node.textContent = text
}

// --- each network's card

function showFigures(root, totals) {
  const failed = Object.entries(totals.ends)
    .reduce((sum, [end, calls]) => sum + (end[0] === '2' ? 0 : calls), totals.resetConnections)
  put(find('.impressions', root), number(totals.impressions))
  put(find('.calls', root), number(totals.calls))
  put(find('.failed', root), number(failed))
  find('.failed', root).classList.toggle('some', failed > 0)
}

function span(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000))
  if (seconds < 120) return seconds + ' s'
  const minutes = Math.ceil(seconds / 60)
  return minutes < 120 ? minutes + ' min' : Math.ceil(minutes / 60) + ' h'
}

function period(ms) {
  return { 1000: 'a second', 60000: 'a minute', 3600000: 'an hour', 86400000: 'a day' }[ms] || 'per ' + span(ms)
}

function showBudget(root, budget) {
  if (budget.length === 0) return
  find('.budget', root).replaceChildren(...budget.map((window) => {
    const row = element('div', window.remaining === 0 ? 'window spent' : 'window')
    const left = window.remaining === window.limit ? 'unspent' : 'resets in ' + span(window.resetsInMs)
    row.append(
      element('span', '', number(window.remaining) + ' of ' + number(window.limit) + ' ' + period(window.windowMs)),
      element('span', 'soft', left),
    )
    const bar = element('div', 'bar')
    const fill = element('i')
    fill.style.width = (100 * window.remaining / window.limit) + '%'
    bar.append(fill)
    row.append(bar)
    return row
  }))
}

function showEnds(root, totals) {
  const ends = Object.entries(totals.ends)
  if (totals.resetConnections > 0) ends.push(['reset unread', totals.resetConnections])
  const rows = ends.map(([end, calls]) => {
    const row = element('tr')
    row.append(element('td', '', words[end] || end), element('td', 'number', number(calls)))
    return row
  })
  find('.ends tbody', root).replaceChildren(...(rows.length > 0 ? rows : [emptyRow(2, 'No call yet')]))
}

function emptyRow(columns, text) {
  const row = element('tr')
  const cell = element('td', 'none', text)
  cell.colSpan = columns
  row.append(cell)
  return row
}

const lastSeen = { ens: null, closient: null }

function showLatest(network, root, state) {
  const total = state.totals.impressions
  if (total === lastSeen[network]) return
  const fresh = lastSeen[network] === null ? 0 : total - lastSeen[network]
  lastSeen[network] = total
  const rows = state.latest.map((impression, index) => {
    const row = element('tr', index < fresh ? 'new' : '')
    const time = new Date(impression.at)
    row.append(element('td', 'soft', time.toLocaleTimeString('en-GB')))
    for (const [field, className] of columns[network]) {
      const value = impression[field]
      const cell = element('td', value === undefined ? 'soft' : className, value === undefined ? '–' : String(value))
      if (className !== '' && value !== undefined) cell.title = value
      row.append(cell)
    }
    return row
  })
  const wide = columns[network].length + 1
  find('.latest tbody', root).replaceChildren(...(rows.length > 0 ? rows : [emptyRow(wide, 'None yet: they show here as they are counted')]))
}

// --- faults

const buttons = [...document.querySelectorAll('button[data-fault]')]
let current = null

const networkOf = (node) => node.closest('section').dataset.network

function setAs(button) {
  if (current === null) return null
  const wanted = button.dataset.fault
  return current[networkOf(button)].faults.find((set) => set.left === null && JSON.stringify(set.fault) === wanted) || null
}

function describe(fault) {
  const known = buttons.find((button) => button.dataset.fault === JSON.stringify(fault))
  if (known) return known.textContent.toLowerCase()
  return Object.entries(fault)
    .map(([name, value]) => name + ' ' + (typeof value === 'string' ? value : JSON.stringify(value)))
    .join(', ')
    .slice(0, 120)
}

function showFaults(root, state) {
  for (const button of root.querySelectorAll('button[data-fault]')) {
    button.setAttribute('aria-pressed', String(setAs(button) !== null))
  }
  find('button.refuse', root).setAttribute('aria-pressed', String(state.refusing))
  const lines = state.faults.map(({ fault, left }) =>
    describe(fault) + (left === null ? '' : ', ' + left + (left === 1 ? ' more call' : ' more calls')))
  if (state.refusing) lines.unshift('connections are refused')
  put(find('.set', root), lines.length === 0 ? 'None set' : 'Set: ' + lines.slice(0, 4).join('; ') + (lines.length > 4 ? '; …' : ''))
}

async function control(method, path, body) {
  try {
    const response = await fetch(path, {
      method,
      headers: body ? { 'content-type': 'application/json' } : {},
      body: body ? JSON.stringify(body) : undefined,
    })
    if (!response.ok) say((await response.json()).error)
    return response.ok
  } catch {
    say('The sandbox does not answer')
    return false
  }
}

for (const button of buttons) {
  button.addEventListener('click', async () => {
    const network = networkOf(button)
    const set = setAs(button)
    const done = set
      ? await control('DELETE', '/sandbox/faults?network=' + network + '&id=' + set.id)
      : await control('POST', '/sandbox/faults', { network, fault: JSON.parse(button.dataset.fault) })
    if (done) say(names[network] + ': ' + button.textContent + (set ? ' cleared' : ' set'))
  })
}
for (const button of document.querySelectorAll('button.refuse')) {
  button.addEventListener('click', async () => {
    const network = networkOf(button)
    const refusing = button.getAttribute('aria-pressed') === 'true'
    const done = await control('POST', '/sandbox/connections', { network, state: refusing ? 'accept' : 'refuse' })
    if (done) say(names[network] + (refusing ? ' accepts connections again' : ' refuses connections'))
  })
}
find('button.spend').addEventListener('click', () => control('POST', '/sandbox/spend', { calls: 50 }))
find('button.forget').addEventListener('click', () => control('POST', '/sandbox/reset', {}))

// --- the plot

const svg = find('svg')
const left = 44
const top_ = 8
const height = 160
let width = 0
let hovered = null

function shape(tag, attributes, text) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  if (text !== undefined) made.textContent = text
  return made
}

function ceiling(value) {
  for (let power = 1; ; power *= 10) {
    for (const step of [1, 2, 4, 6, 8]) if (step * power >= value && step * power >= 4) return step * power
  }
}

function draw() {
  width = svg.clientWidth
  if (current === null || width === 0) return
  // The last second is still running: it would dip at the right end all the time.
  const series = ['ens', 'closient'].map((network) => [network, current[network].perSecond.slice(0, -1)])
  const seconds = series[0][1].length
  const most = ceiling(Math.max(...series.flatMap(([, values]) => values)))
  const x = (index) => left + (width - left) * index / (seconds - 1)
  const y = (value) => top_ + height * (1 - value / most)
  const shapes = []
  for (const value of [0, most / 2, most]) {
    shapes.push(
      shape('line', { class: 'grid', x1: left, x2: width, y1: y(value), y2: y(value) }),
      shape('text', { x: left - 10, y: y(value) + 4, 'text-anchor': 'end' }, number(value)),
    )
  }
  for (const [index, text, anchor] of [[0, '2 min ago', 'start'], [(seconds - 1) / 2, '1 min ago', 'middle'], [seconds - 1, 'now', 'end']]) {
    shapes.push(shape('text', { x: x(index), y: top_ + height + 20, 'text-anchor': anchor }, text))
  }
  for (const [network, values] of series) {
    const points = values.map((value, index) => x(index).toFixed(1) + ',' + y(value).toFixed(1)).join(' L')
    const group = shape('g', { 'data-network': network })
    group.append(
      shape('path', { class: 'area', d: 'M' + x(0) + ',' + y(0) + ' L' + points + ' L' + x(seconds - 1) + ',' + y(0) + ' Z' }),
      shape('path', { class: 'curve', d: 'M' + points }),
    )
    shapes.push(group)
  }
  const at = hovered === null ? seconds - 1 : Math.round((seconds - 1) * hovered)
  if (hovered !== null) {
    shapes.push(shape('line', { class: 'cross', x1: x(at), x2: x(at), y1: top_, y2: top_ + height }))
    for (const [network, values] of series) {
      const group = shape('g', { 'data-network': network })
      group.append(shape('circle', { cx: x(at), cy: y(values[at]), r: 4.5 }))
      shapes.push(group)
    }
  }
  svg.replaceChildren(...shapes)
  for (const [network, values] of series) put(find('.legend [data-network=' + network + '] b'), number(values[at]))
  const ago = seconds - 1 - at
  put(find('#when'), ago === 0 ? 'last second' : ago + ' s ago')
  svg.setAttribute('aria-label', 'Impressions a second over the last two minutes. ' + series.map(([network, values]) =>
    names[network] + ': ' + values[seconds - 1] + ' now, ' + Math.max(...values) + ' at most').join('; '))
}

svg.addEventListener('pointermove', (event) => {
  const { left: start } = svg.getBoundingClientRect()
  hovered = Math.min(1, Math.max(0, (event.clientX - start - left) / (width - left)))
  draw()
})
svg.addEventListener('pointerleave', () => { hovered = null; draw() })
addEventListener('resize', draw)

// --- what arrives

const state = find('.state')

function connection(className, text) {
  state.className = 'state ' + className
  put(find('span:last-child', state), text)
}

const events = new EventSource('/events')
events.addEventListener('open', () => connection('live', 'Live'))
events.addEventListener('error', () => connection('lost', 'The sandbox has stopped'))
events.addEventListener('message', (event) => {
  current = JSON.parse(event.data)
  for (const network of ['ens', 'closient']) {
    const root = card(network)
    showFigures(root, current[network].totals)
    showBudget(root, current[network].budget)
    showEnds(root, current[network].totals)
    showLatest(network, root, current[network])
    showFaults(root, current[network])
  }
  draw()
})

// Read out now and then: each impression would be far too much.
setInterval(() => {
  if (current === null) return
  put(find('#summary'), ['ens', 'closient'].map((network) =>
    names[network] + ': ' + number(current[network].totals.impressions) + ' impressions').join(', '))
}, 20000)
`
