import { styleText } from 'node:util'

const { stdout } = process
const hasColors = stdout.isTTY && !process.env.NO_COLOR

// The reader of a pipe may exit first, as in `npm run demo | head`. Stop the demo in that case.
stdout.on('error', (error) => {
  if (error.code !== 'EPIPE') throw error
  process.kill(process.pid, 'SIGTERM')
})

export function printLine(text) {
  stdout.write(`${text}\n`)
}

export function formatGreeting(siteUrl, sandboxUrl) {
  const header = formatColumns('time', 'network', 'outcome', 'campaign', 'latency', 'reason')
  return `
  The Saltmarsh Courier      ${siteUrl}
  What the networks receive  ${sandboxUrl}

  Read a few pages of the paper. The badge on each ad shows what the server has counted for it, and
  the outcome of each impression is printed below. The second address shows the impressions as they
  arrive, and can make the networks fail.

  The front page shows one ad twice: its second impression is a duplicate. Each Closient offer
  counts separately. The wind energy ad and the ad inside a story count once half of the ad has
  been visible for one second. Bots are not counted: curl ${siteUrl}

  Press Ctrl-C to stop.

${header}`
}

export function formatOutcome({ network, outcome, campaignId, latencyMs, reason }) {
  const time = new Date().toTimeString().slice(0, 8)
  const campaign = String(campaignId ?? '-')
  const line = formatColumns(time, network, outcome, campaign, `${latencyMs} ms`, reason)
  return colorOutcome(outcome, line)
}

/** @param {import('ad-impressions').Stats} stats */
export function formatSummary(stats) {
  const { tracked, held, pending, delivered, ...others } = sumFigures(Object.values(stats))
  const rest = Object.entries(others)
    .filter(([, count]) => count > 0)
    .map(([outcome, count]) => `${count} ${outcome}`)
  const perNetwork = `ENS ${stats.ens.delivered}, Closient ${stats.closient.delivered}`
  const end = rest.length > 0 ? `; ${rest.join(', ')}` : ''
  return `\nStopped. Delivered ${delivered} of ${tracked} impressions (${perNetwork})${end}.`
}

function formatColumns(time, network, outcome, campaign, latency, reason) {
  return [
    time.padEnd(8),
    network.padEnd(8),
    outcome.padEnd(10),
    campaign.padEnd(22),
    latency.padStart(8),
    reason,
  ].join('  ')
}

function sumFigures(networks) {
  const sum = {}
  for (const { viewability, ...figures } of networks) {
    for (const [name, count] of Object.entries(figures)) sum[name] = (sum[name] ?? 0) + count
  }
  return sum
}

const COLORS = { delivered: 'green', duplicate: 'gray', suppressed: 'gray' }

function colorOutcome(outcome, line) {
  if (!hasColors) return line
  return line.replace(outcome, (text) => styleText(COLORS[outcome] ?? 'red', text))
}
