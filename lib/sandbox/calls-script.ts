/** The part of the page's script that lists calls. It uses the helpers of `PAGE_SCRIPT`. */
export const CALLS_SCRIPT = `// --- calls

const callRows = new Map(networks.map((network) => [network, new Map()]))

// Rows are kept and changed, because a row that is replaced loses the focus and a click in progress.
function showCalls(network, root, calls) {
  const body = find('.call-list tbody', root)
  const rows = callRows.get(network)
  for (const [id, row] of rows) {
    if (calls.some((call) => call.id === id)) continue
    row.remove()
    rows.delete(id)
  }
  for (const call of calls.toReversed()) {
    const row = rows.get(call.id) || createCallRow(network, call.id)
    if (!rows.has(call.id)) body.prepend(row)
    rows.set(call.id, row)
    fillCallRow(row, call)
  }
  const empty = find('.none', body)
  if (calls.length > 0) empty?.closest('tr').remove()
  else if (empty === null) body.append(createEmptyRow(4, 'No calls yet'))
}

function createCallRow(network, id) {
  const row = createElement('tr')
  row.append(createElement('td', 'soft time'), createElement('td', 'end'), createElement('td', 'text'))
  const button = createElement('button', 'open', 'Show')
  button.type = 'button'
  button.setAttribute('aria-label', 'Show call ' + id)
  button.addEventListener('click', () => openCall(network, id))
  const cell = createElement('td', 'open')
  cell.append(button)
  row.append(cell)
  return row
}

function fillCallRow(row, call) {
  const [time, end, carried] = row.cells
  setText(time, formatTime(call.at))
  setText(end, describeEnd(call))
  end.classList.toggle('bad', call.end !== 'pending' && !(call.end === 'answered' && call.status >= 200 && call.status < 300))
  setText(carried, describeCarried(call))
}

function describeEnd({ end, status }) {
  if (end === 'pending') return 'waiting'
  return end === 'answered' ? String(status) : endTexts[end]
}

function describeCarried({ status, carried, listed, counted, authorization, method, path }) {
  if (status === 404 || status === 405) return method + ' ' + path
  if (carried === 0) return { missing: 'no key', wrong: 'wrong key', right: 'no impression' }[authorization]
  const campaigns = listed.map(shortenId).join(', ') + (carried > listed.length ? ', …' : '')
  const impressions = carried === 1 ? '1 impression' : carried + ' impressions'
  return impressions + (counted === carried ? '' : ', ' + counted + ' counted') + ': ' + campaigns
}

function shortenId(id) {
  const text = String(id)
  return text.length > 14 ? text.slice(0, 8) + '…' : text
}

const dialog = find('#call')

async function openCall(network, id) {
  const response = await fetch('/sandbox/' + network + '/calls/' + id).catch(() => null)
  const call = await response?.json()
  if (!response?.ok) return announce(call?.error || 'The sandbox does not respond')
  setText(find('#call-title'), nameNetwork(network) + ' call ' + id)
  setText(find('.line', dialog), call.method + ' ' + call.path + ', ' + formatNumber(call.bodyBytes) + ' bytes')
  setText(find('.headers', dialog), Object.entries(call.headers).map(([name, value]) => name + ': ' + value).join('\\n'))
  setText(find('.body', dialog), (call.body || 'empty, or too large to keep') + (call.isCut ? '…' : ''))
  dialog.showModal()
}

find('.close', dialog).addEventListener('click', () => dialog.close())
// The padding belongs to the dialog, so a click on the backdrop is one outside of its box.
dialog.addEventListener('click', (event) => {
  const { left, right, top, bottom } = dialog.getBoundingClientRect()
  const isInside = event.clientX >= left && event.clientX <= right && event.clientY >= top && event.clientY <= bottom
  if (event.target === dialog && !isInside) dialog.close()
})
`
