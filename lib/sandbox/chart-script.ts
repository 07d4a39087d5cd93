/** The part of the page's script that draws the chart. It uses the helpers of `PAGE_SCRIPT`. */
export const CHART_SCRIPT = `// --- chart

const svg = find('svg')
const left = 44
const top_ = 8
const height = 160
let width = 0
let hovered = null

function createShape(tag, attributes, text) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  if (text !== undefined) element.textContent = text
  return element
}

function roundUpToAxis(value) {
  for (let power = 1; ; power *= 10) {
    for (const step of [1, 2, 4, 6, 8]) if (step * power >= value && step * power >= 4) return step * power
  }
}

function drawChart() {
  width = svg.clientWidth
  if (current === null || width === 0) return
  // The last second is not over yet. It would always show as a dip at the right end.
  const series = networks.map((network) => [network, current[network].impressionsPerSecond.slice(0, -1)])
  const last = series[0][1].length - 1
  const failures = sumFailures(last + 1)
  const axisMax = roundUpToAxis(Math.max(...failures, ...series.flatMap(([, values]) => values)))
  const x = (index) => left + (width - left) * index / last
  const y = (value) => top_ + height * (1 - value / axisMax)
  const selected = hovered === null ? last : Math.round(last * hovered)
  svg.replaceChildren(
    ...createAxes(axisMax, last, x, y),
    ...createBars(failures, x, y),
    ...series.map(([network, values]) => createCurve(network, values, x, y)),
    ...(hovered === null ? [] : createCrosshair(series, selected, x, y)),
  )
  showChartTexts(series, failures, last, selected)
}

function createAxes(axisMax, last, x, y) {
  const rows = [0, axisMax / 2, axisMax].flatMap((value) => [
    createShape('line', { class: 'grid', x1: left, x2: width, y1: y(value), y2: y(value) }),
    createShape('text', { x: left - 10, y: y(value) + 4, 'text-anchor': 'end' }, formatNumber(value)),
  ])
  const times = [[0, '2 min ago', 'start'], [last / 2, '1 min ago', 'middle'], [last, 'now', 'end']]
  return rows.concat(times.map(([index, text, anchor]) =>
    createShape('text', { x: x(index), y: top_ + height + 20, 'text-anchor': anchor }, text)))
}

function sumFailures(seconds) {
  return Array.from({ length: seconds }, (_, index) =>
    networks.reduce((sum, network) => sum + current[network].failuresPerSecond[index], 0))
}

function createBars(failures, x, y) {
  const barWidth = Math.max(2, (x(1) - x(0)) * 0.7)
  return failures.flatMap((calls, index) => calls === 0 ? [] : [createShape('rect', {
    class: 'failure', x: x(index) - barWidth / 2, y: y(calls), width: barWidth, height: y(0) - y(calls),
  })])
}

function createCurve(network, values, x, y) {
  const points = values.map((value, index) => x(index).toFixed(1) + ',' + y(value).toFixed(1)).join(' L')
  const group = createShape('g', { 'data-network': network, 'data-series': networks.indexOf(network) })
  group.append(
    createShape('path', { class: 'area', d: 'M' + x(0) + ',' + y(0) + ' L' + points + ' L' + x(values.length - 1) + ',' + y(0) + ' Z' }),
    createShape('path', { class: 'curve', d: 'M' + points }),
  )
  return group
}

function createCrosshair(series, selected, x, y) {
  const line = createShape('line', { class: 'cross', x1: x(selected), x2: x(selected), y1: top_, y2: top_ + height })
  return [line].concat(series.map(([network, values]) => {
    const group = createShape('g', { 'data-network': network, 'data-series': networks.indexOf(network) })
    group.append(createShape('circle', { cx: x(selected), cy: y(values[selected]), r: 4.5 }))
    return group
  }))
}

function showChartTexts(series, failures, last, selected) {
  for (const [network, values] of series) {
    setText(find('.legend [data-network=' + network + '] b'), formatNumber(values[selected]))
  }
  setText(find('.legend .failures b'), formatNumber(failures[selected]))
  const ago = last - selected
  setText(find('#when'), ago === 0 ? 'last second' : ago + ' s ago')
  const described = [...series.map(([network, values]) => [nameNetwork(network), values]), ['Failed calls', failures]]
  svg.setAttribute('aria-label', 'Impressions per second over the last two minutes. ' + described.map(([name, values]) =>
    name + ': ' + values[last] + ' now, peak ' + Math.max(...values)).join('; '))
}

svg.addEventListener('pointermove', (event) => {
  const { left: start } = svg.getBoundingClientRect()
  hovered = Math.min(1, Math.max(0, (event.clientX - start - left) / (width - left)))
  drawChart()
})
svg.addEventListener('pointerleave', () => { hovered = null; drawChart() })
addEventListener('resize', drawChart)
`
