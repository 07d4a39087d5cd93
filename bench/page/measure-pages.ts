import type { BenchReport, ReportTable, TargetResult } from '../report.js'
import type { Schedule } from '../schedule.js'
import { startSink } from '../sink/start-sink.js'
import { measureClosedLoop } from './measure-closed-loop.js'
import { measureOpenLoop } from './measure-open-loop.js'
import { measureStandaloneSites } from './measure-standalone-sites.js'
import { createPageTables } from './page-tables.js'
import { checkPageTargets } from './page-targets.js'
import { SharedSites } from './shared-sites.js'

/** Measures what counting impressions costs a page. */
export async function measurePages(schedule: Schedule): Promise<BenchReport> {
  const sink = await startSink()
  const tables: ReportTable[] = []
  const targets: TargetResult[] = []
  for (const framework of ['koa', 'express'] as const) {
    const sites = await SharedSites.start(framework, sink)
    const closedLoop = await measureClosedLoop(sites, schedule)
    const openLoop = await measureOpenLoop(sites, schedule)
    await sites.stop()
    const standalone = await measureStandaloneSites(framework, sink, schedule)
    const figures = { closedLoop, openLoop, standalone }
    tables.push(...createPageTables(framework, figures))
    targets.push(...checkPageTargets(framework, figures))
  }
  await sink.stop()
  return { title: 'Page cost', tables, targets }
}
