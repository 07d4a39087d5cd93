import type { Report, Table, Verdict } from '../report.js'
import type { Schedule } from '../schedule.js'
import { startSink } from '../sink/start-sink.js'
import { measureClosed } from './heats.js'
import { measureLives } from './lives.js'
import { Neighbourhood } from './neighbourhood.js'
import { measureOpen } from './open-rounds.js'
import { tablesOf, verdictsOf } from './page-report.js'

/** What a page pays for being counted. */
export async function measurePages(schedule: Schedule): Promise<Report> {
  const sink = await startSink()
  const tables: Table[] = []
  const verdicts: Verdict[] = []
  for (const framework of ['koa', 'express'] as const) {
    const neighbourhood = await Neighbourhood.start(framework, sink)
    const closed = await measureClosed(neighbourhood, schedule)
    const open = await measureOpen(neighbourhood, schedule)
    await neighbourhood.stop()
    const lives = await measureLives(framework, sink, schedule)
    tables.push(...tablesOf(framework, { closed, open, lives }))
    verdicts.push(...verdictsOf(framework, { closed, open, lives }))
  }
  await sink.stop()
  return { title: 'Page cost', tables, verdicts }
}
