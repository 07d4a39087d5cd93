import { styleText } from 'node:util'

const { stdout } = process
const coloured = stdout.isTTY && !process.env.NO_COLOR

// Whoever reads along may leave first, as in `npm run demo | head`: then there is no one to tell.
stdout.on('error', (error) => {
  if (error.code !== 'EPIPE') throw error
  process.kill(process.pid, 'SIGTERM')
})

export function say(text) {
  stdout.write(`${text}\n`)
}

const columns = (time, network, outcome, campaign, latency, reason) =>
  [
    time.padEnd(8),
    network.padEnd(8),
    outcome.padEnd(10),
    campaign.padEnd(22),
    latency.padStart(8),
    reason,
  ].join('  ')

export function greeting(siteUrl, sandboxUrl) {
  return `
  The Saltmarsh Courier   ${siteUrl}
  What the networks see   ${sandboxUrl}

  Read the paper: the server records its ads, and what becomes of each is told below. At the
  second address you see them arrive, and can make the networks fail. One ad stands twice on the
  front page, so that it is once a duplicate; of Closient's, each offer counts. The wind's, and the
  ad in a story, count once half of them has been on your screen for a second. A robot counts
  nothing: curl ${siteUrl}

  Ctrl-C stops it.

${columns('time', 'network', 'outcome', 'campaign', 'latency', 'reason')}`
}

export function outcomeLine({ network, outcome, campaignId, latencyMs, reason }) {
  const time = new Date().toTimeString().slice(0, 8)
  const line = columns(time, network, outcome, String(campaignId ?? '-'), `${latencyMs} ms`, reason)
  return paint(outcome, line)
}

/** @param {import('ad-impressions').Stats} stats */
export function closingWords(stats) {
  const { tracked, held, pending, delivered, ...others } = total(Object.values(stats))
  const rest = Object.entries(others)
    .filter(([, count]) => count > 0)
    .map(([outcome, count]) => `${count} ${outcome}`)
  const to = `ENS ${stats.ens.delivered}, Closient ${stats.closient.delivered}`
  const end = rest.length > 0 ? `; ${rest.join(', ')}` : ''
  return `\nStopped. Delivered ${delivered} of ${tracked} impressions (${to})${end}.`
}

function total(accounts) {
  const sum = {}
  for (const account of accounts) {
    for (const [figure, count] of Object.entries(account)) sum[figure] = (sum[figure] ?? 0) + count
  }
  return sum
}

const COLOURS = { delivered: 'green', duplicate: 'gray', suppressed: 'gray' }

function paint(outcome, line) {
  return coloured
    ? line.replace(outcome, (word) => styleText(COLOURS[outcome] ?? 'red', word))
    : line
}
