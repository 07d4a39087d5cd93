/**
 * Measures what counting impressions costs a page, how much delivery carries, and what is lost when
 * something fails. Prints Markdown. A complete run also writes `bench/RESULTS.md`.
 *
 *     npm run bench [-- PART … [--quick]]
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { measureCalls } from './call/measure-calls.js'
import { measureDelivery } from './delivery/measure-delivery.js'
import { describeMachine } from './describe-machine.js'
import { measureFaults } from './faults/measure-faults.js'
import { measureMemory } from './memory/measure-memory.js'
import { measureOutbox } from './outbox/measure-outbox.js'
import { measurePages } from './page/measure-pages.js'
import { type BenchReport, renderReport, renderTargets } from './report.js'
import { createSchedule, type Schedule } from './schedule.js'

const PARTS: Readonly<Record<string, (schedule: Schedule) => Promise<BenchReport>>> = {
  page: measurePages,
  call: measureCalls,
  delivery: measureDelivery,
  faults: measureFaults,
  memory: measureMemory,
  outbox: measureOutbox,
}

const RESULTS = fileURLToPath(new URL('../bench/RESULTS.md', import.meta.url))

const { positionals, values } = parseArgs({
  allowPositionals: true,
  // A trial of the benchmark itself: its short rounds give meaningless figures.
  options: { quick: { type: 'boolean', default: false } },
})
const unknownPart = positionals.find((name) => !Object.hasOwn(PARTS, name))
if (unknownPart !== undefined) {
  console.error(`unknown part ${unknownPart}; expected ${Object.keys(PARTS).join(', ')}`)
  process.exit(1)
}

const schedule = createSchedule(values.quick)
const startMs = performance.now()
const reports: BenchReport[] = []
for (const [name, measure] of Object.entries(PARTS)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue
  const report = await measure(schedule)
  schedule.showProgress('')
  reports.push(report)
  console.log(renderReport(report))
}
const minutes = (performance.now() - startMs) / 60_000
const targets = renderTargets(reports.flatMap((report) => report.targets))
console.log(`${targets}\n`)
for (const note of [`${minutes.toFixed(1)} minutes`, ...schedule.notes]) console.log(note)

if (positionals.length === 0 && !values.quick) {
  const header = `# Results\n\n${describeMachine(minutes, schedule.notes)}`
  writeFileSync(RESULTS, [header, targets, ...reports.map(renderReport)].join('\n\n'))
}
