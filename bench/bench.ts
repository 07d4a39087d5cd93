/**
 * What a page pays for being counted, what delivery carries, and what is lost when things break.
 * Prints Markdown; with all parts it writes `bench/RESULTS.md` as well.
 *
 *     npm run bench [-- PART … [--quick]]
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { measureCalls } from './call/call.js'
import { measureDelivery } from './delivery/delivery.js'
import { measureFaults } from './faults/faults.js'
import { describeMachine } from './machine.js'
import { measureMemory } from './memory/memory.js'
import { measurePages } from './page/page.js'
import { markdownOf, markdownOfVerdicts, type Report } from './report.js'
import { type Schedule, scheduleOf } from './schedule.js'

const PARTS: Readonly<Record<string, (schedule: Schedule) => Promise<Report>>> = {
  page: measurePages,
  call: measureCalls,
  delivery: measureDelivery,
  faults: measureFaults,
  memory: measureMemory,
}

const RESULTS = fileURLToPath(new URL('../bench/RESULTS.md', import.meta.url))

const { positionals, values } = parseArgs({
  allowPositionals: true,
  // A trial of the bench itself: short rounds whose figures mean nothing.
  options: { quick: { type: 'boolean', default: false } },
})
const unknown = positionals.find((name) => !Object.hasOwn(PARTS, name))
if (unknown !== undefined) {
  console.error(`no part ${unknown}; there are ${Object.keys(PARTS).join(', ')}`)
  process.exit(1)
}

const schedule = scheduleOf(values.quick)
const startMs = performance.now()
const reports: Report[] = []
for (const [name, measure] of Object.entries(PARTS)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue
  const report = await measure(schedule)
  schedule.progress('')
  reports.push(report)
  console.log(sectionOf(report))
}
const minutes = (performance.now() - startMs) / 60_000
const verdicts = reports.flatMap((report) => report.verdicts)
console.log(`## Targets\n\n${markdownOfVerdicts(verdicts)}\n`)
for (const note of [`${minutes.toFixed(1)} minutes`, ...schedule.notes]) console.log(note)

if (positionals.length === 0 && !values.quick) {
  const head = `# Results\n\n${describeMachine(minutes, schedule.notes)}`
  const targets = `## Targets\n\n${markdownOfVerdicts(verdicts)}`
  writeFileSync(RESULTS, [head, targets, ...reports.map(sectionOf)].join('\n\n'))
}

function sectionOf({ title, tables }: Report): string {
  return `## ${title}\n\n${tables.map(markdownOf).join('\n\n')}\n`
}
