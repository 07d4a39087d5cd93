/** The part of the page's script that plots the outcomes. It uses the helpers of `PAGE_SCRIPT`. */
export const CHART_SCRIPT = `
// --- chart: stacked bars, one for each bucket of time

const LEFT = 40
const TOP = 8
const HEIGHT = 130
const svg = find('svg')
let charted = { bucketMs: 1, outcomes: [] }

function createShape(tag, attributes, text) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  if (text !== undefined) element.textContent = text
  return element
}

const sum = (values) => values.reduce((total, value) => total + value, 0)

function roundUpToAxis(value) {
  for (let power = 1; ; power *= 10) {
    for (const step of [2, 4, 10]) if (step * power >= value) return step * power
  }
}

function drawAxes(axisMax, width, minutes) {
  const lines = [0, axisMax / 2, axisMax].flatMap((value) => {
    const y = TOP + HEIGHT * (1 - value / axisMax)
    return [
      createShape('line', { x1: LEFT, x2: width, y1: y, y2: y }),
      createShape('text', { x: LEFT - 8, y: y + 4, 'text-anchor': 'end' }, formatNumber(value)),
    ]
  })
  return lines.concat(
    createShape('text', { x: LEFT, y: TOP + HEIGHT + 20 }, minutes + ' min ago'),
    createShape('text', { x: width, y: TOP + HEIGHT + 20, 'text-anchor': 'end' }, 'now'))
}

function drawBars(outcomes, axisMax, width) {
  const buckets = outcomes[0].counts.length
  const barWidth = (width - LEFT) / buckets
  const bars = []
  for (let index = 0; index < buckets; index += 1) {
    let y = TOP + HEIGHT
    for (const { outcome, counts } of outcomes) {
      if (counts[index] === 0) continue
      const height = HEIGHT * counts[index] / axisMax
      y -= height
      bars.push(createShape('rect', { class: outcome, x: LEFT + index * barWidth, y, width: Math.max(1, barWidth - 1), height }))
    }
  }
  return bars
}

function drawChart() {
  const { bucketMs, outcomes } = charted
  const width = svg.clientWidth
  if (outcomes.length === 0 || width === 0) return
  const buckets = outcomes[0].counts.length
  const highest = Math.max(...outcomes[0].counts.map((_, index) => sum(outcomes.map(({ counts }) => counts[index]))))
  const axisMax = roundUpToAxis(highest)
  svg.replaceChildren(...drawAxes(axisMax, width, buckets * bucketMs / 60000), ...drawBars(outcomes, axisMax, width))
}

function showChart({ bucketMs, outcomes }) {
  charted = { bucketMs, outcomes }
  drawChart()
  const totals = outcomes.map(({ outcome, counts }) => ({ outcome, total: sum(counts) }))
  showList(find('.legend'), totals, ({ outcome, total }) =>
    createElement('li', { class: outcome }, outcome + ' ' + formatNumber(total)))
  setText(find('#bucket'), 'Each bar is ' + formatDuration(bucketMs))
}

addEventListener('resize', drawChart)
`
