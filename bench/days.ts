/**
 * Simulates days of traffic in virtual time against a network that allows 300 calls a minute and
 * 10,000 a day. Prints the results, writes them to `bench/DAYS.md`, and fails if a promise of the
 * library was broken.
 *
 *     npx tsx bench/days.ts
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type ScenarioSection, SECTIONS } from './days/scenarios.js'
import { type SimulationResult, simulate } from './days/simulate.js'
import { formatCount, renderRows } from './report.js'

const DAYS = fileURLToPath(new URL('DAYS.md', import.meta.url))

const COLUMNS = [
  'page views/s',
  'processes',
  'queries',
  'traffic',
  'windows',
  'headers',
  'other program',
  'impressions',
  'lost',
  'calls',
  '429 by us',
  '429 by the other',
  'median wait',
  'longest wait',
  'per quarter, %',
]

const INTRODUCTION = `# Days in virtual time

Written by \`npx tsx bench/days.ts\`. The delivery, its quota, the memory outbox and the \`closient()\`
network are the real ones. The clock and the network are simulated. Each page view has three
impressions. The network allows 300 calls a minute and 10,000 a day. Its windows are fixed (they
begin with a call), sliding, or reset at midnight UTC, which is 19 hours after the start of the
simulated day. A call takes 5 to 100 ms each way, and in one percent of cases up to 3 s. "Peak" is
traffic that rises from zero to 2.7 times its average and falls back, once a day. What still waits
at the end of the day is sent afterwards, and these calls are counted as well. Options are at their
defaults unless noted: \`maxAgeMs\` 1 h, \`maxPending\` 100,000.

"429 by the other" counts calls that were refused because the other program had used what the last
answer had reported as left. A wait is the time from \`trackImpression\` to the network's answer. The
last column shows how much was delivered in each quarter of the time, in percent of everything that
was tracked. In no row of one process does any span of a window's length, wherever it begins, contain
more of our calls than the window allows; nor in any row of several whose calls can carry everything.
`

function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 120_000) return `${(ms / 1_000).toFixed(1)} s`
  return `${Math.round(ms / 60_000)} min`
}

function formatViews({ viewsPerSecond, maxBatch }: SimulationResult['scenario']): string {
  const batches = maxBatch === 1_000 ? '' : `, batches of ${maxBatch}`
  return `${formatCount(viewsPerSecond)}${batches}`
}

function formatProcesses(scenario: SimulationResult['scenario']): string {
  const { processes, knownProcesses, restartMinutes } = scenario
  const known = knownProcesses > 1 ? ' known' : ''
  const restarts = restartMinutes > 0 ? `, every ${restartMinutes} min` : ''
  return `${processes}${known}${restarts}`
}

function createRow({ scenario, ...result }: SimulationResult): readonly string[] {
  const { tracked, lost } = result
  return [
    formatViews(scenario),
    formatProcesses(scenario),
    formatCount(scenario.queries),
    scenario.hasPeak ? 'peak' : 'even',
    scenario.windowKind,
    scenario.headerForm,
    scenario.othersPerDay === 0 ? 'none' : scenario.reportedWindow,
    formatCount(tracked),
    lost === 0 ? '0' : `${formatCount(lost)} (${((100 * lost) / tracked).toFixed(1)} %)`,
    formatCount(result.calls),
    formatCount(result.refused),
    formatCount(result.refusedAfterOthers),
    formatDuration(result.medianWaitMs),
    formatDuration(result.longestWaitMs),
    result.quarters.map((quarter) => Math.round((100 * quarter) / tracked)).join(' '),
  ]
}

function findBrokenPromises(result: SimulationResult, canCarryAll: boolean): string[] {
  const { scenario, refused, exceededWindows, lost } = result
  const knowsEveryCall = scenario.processes === 1 && scenario.restartMinutes === 0
  const broken = []
  if (canCarryAll && lost > 0) broken.push(`${lost} impressions lost`)
  if (canCarryAll || knowsEveryCall) {
    if (refused > 0) broken.push(`${refused} answers 429 caused by us`)
    if (exceededWindows > 0) broken.push(`${exceededWindows} windows exceeded`)
  }
  return broken.map((promise) => `${promise}: ${JSON.stringify(scenario)}`)
}

function runSection({ title, text, scenarios, canCarryAll }: ScenarioSection) {
  const rows: (readonly string[])[] = []
  const broken: string[] = []
  for (const scenario of scenarios) {
    const result = simulate(scenario)
    const row = createRow(result)
    console.log(row.join(' | '))
    rows.push(row)
    broken.push(...findBrokenPromises(result, canCarryAll))
  }
  return { broken, markdown: `## ${title}\n\n${text}\n\n${renderRows(COLUMNS, rows)}\n` }
}

const sections = SECTIONS.map(runSection)
writeFileSync(DAYS, [INTRODUCTION, ...sections.map(({ markdown }) => markdown)].join('\n'))
const broken = sections.flatMap((section) => section.broken)
for (const promise of broken) console.error(promise)
process.exitCode = broken.length === 0 ? 0 : 1
