/**
 * Days of traffic in virtual time against a network that allows 300 calls a minute and 10,000 a
 * day. Prints a table, writes it to `bench/DAYS.md`, and fails if a promise was broken.
 *
 *     npx tsx bench/days.ts
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { SECTIONS } from './days/scenarios.js'
import { type Result, simulate } from './days/simulate.js'

const HEADS = [
  'page views/s',
  'queries',
  'traffic',
  'windows',
  'told in',
  'other program',
  'impressions',
  'lost',
  'calls',
  '429 by us',
  '429 by the other',
  'median wait',
  'worst wait',
  'by quarters, %',
]

const INTRODUCTION = `# Days in virtual time

Written by \`npx tsx bench/days.ts\`. The delivery, its budget, the memory outbox and Closient's
translation are the ones that ship; the clock and the network are simulated. Each page view has three
impressions. The network allows 300 calls a minute and 10,000 a day in windows that are fixed
(beginning with a call), sliding, or reset at midnight UTC, 19 hours after the simulated day has
begun; it takes 5 to 100 ms each way, one time in a hundred up to 3 s. "Peak" is traffic that swells
from nothing to 2.7 times its average and back in a day. After the day what still waits is sent: its
calls are counted as well. Defaults otherwise:
\`maxAgeMs\` 1 h, \`maxPending\` 100,000.

"429 by the other" counts calls that were refused because the other program had spent what the
last answer had told to be left. A wait is from \`trackImpression\` to the network's answer. The last
column is what was delivered in each quarter of the time, in percent of what was tracked in all.
No row has a span of a window's length, wherever it begins, with more calls of ours than its limit.
`

function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 120_000) return `${(ms / 1_000).toFixed(1)} s`
  return `${Math.round(ms / 60_000)} min`
}

function row({ scenario, ...result }: Result): string {
  const { views, queries, hasPeak, kind, form, othersPerDay, reading } = scenario
  const { tracked, lost, calls, refused, forestalled, medianWaitMs, worstWaitMs, quarters } = result
  const number = (value: number) => value.toLocaleString('en-US')
  const cells = [
    number(views),
    number(queries),
    hasPeak ? 'peak' : 'even',
    kind,
    form,
    othersPerDay === 0 ? 'none' : reading,
    number(tracked),
    lost === 0 ? '0' : `${number(lost)} (${((100 * lost) / tracked).toFixed(1)} %)`,
    number(calls),
    number(refused),
    number(forestalled),
    duration(medianWaitMs),
    duration(worstWaitMs),
    quarters.map((quarter) => Math.round((100 * quarter) / tracked)).join(' '),
  ]
  return `| ${cells.join(' | ')} |`
}

function brokenPromises(result: Result, suffices: boolean): string[] {
  const { scenario, refused, excesses, lost } = result
  const broken = []
  if (refused > 0) broken.push(`${refused} answers 429 caused by us`)
  if (excesses > 0) broken.push(`${excesses} windows exceeded`)
  if (suffices && lost > 0) broken.push(`${lost} impressions lost`)
  return broken.map((promise) => `${promise}: ${JSON.stringify(scenario)}`)
}

const broken: string[] = []
const parts = [INTRODUCTION]
for (const { title, text, scenarios, suffices } of SECTIONS) {
  const lines = [`| ${HEADS.join(' | ')} |`, `|${' --- |'.repeat(HEADS.length)}`]
  for (const scenario of scenarios) {
    const result = simulate(scenario)
    broken.push(...brokenPromises(result, suffices))
    lines.push(row(result))
    console.log(lines.at(-1))
  }
  parts.push(`## ${title}\n\n${text}\n\n${lines.join('\n')}\n`)
}
writeFileSync(fileURLToPath(new URL('DAYS.md', import.meta.url)), parts.join('\n'))
for (const promise of broken) console.error(promise)
process.exitCode = broken.length === 0 ? 0 : 1
