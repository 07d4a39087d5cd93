import type { Scenario } from './simulate.js'

/** Scenarios that are one section of the table. */
export interface Section {
  readonly title: string
  /** What the section shows, and what was simulated where that is less than the day. */
  readonly text: string
  readonly scenarios: readonly Scenario[]
  /** Whether the calls that are allowed can carry everything, so that nothing may be lost. */
  readonly suffices: boolean
}

const KINDS = ['fixed', 'sliding', 'midnight'] as const
const HALF = 5_000
const fewest = { othersPerDay: HALF, reading: 'fewest calls left' } as const
const smallest = { othersPerDay: HALF, reading: 'smallest share left' } as const

export const SECTIONS: readonly Section[] = [
  {
    title: 'One program, one search query',
    text: 'Whole days.',
    suffices: true,
    scenarios: [
      ...KINDS.map((kind): Scenario => ({ views: 1, kind })),
      ...KINDS.map((kind): Scenario => ({ views: 1, kind, hasPeak: true, form: 'draft 08' })),
      { views: 10, kind: 'fixed', form: 'aliases' },
      { views: 10, hasPeak: true, form: 'draft 07' },
      { views: 30, hasPeak: true },
      { views: 38, kind: 'midnight' },
    ],
  },
  {
    title: 'Another program spends half of the budget',
    text:
      'Whole days; 5,000 calls of another program at random times. The headers tell of the most ' +
      'restrictive window, which may mean the one with the fewest calls left (the day is then ' +
      'not told of until 300 calls of it are left) or with the smallest share left.',
    suffices: true,
    scenarios: [
      ...KINDS.map((kind): Scenario => ({ views: 1, kind, ...fewest })),
      ...KINDS.map((kind): Scenario => ({ views: 1, kind, ...smallest, hasPeak: true })),
      { views: 1, kind: 'midnight', ...fewest, form: 'draft 08' },
      { views: 10, kind: 'fixed', ...smallest, hasPeak: true },
      { views: 10, kind: 'sliding', ...fewest, form: 'aliases' },
      { views: 10, kind: 'midnight', ...fewest, hasPeak: true, form: 'draft 07' },
    ],
  },
  {
    title: 'Many search queries',
    text: 'Whole days. Each page view has one of so many queries, all equally frequent.',
    suffices: true,
    scenarios: [
      { views: 1, queries: 20 },
      { views: 1, queries: 20, kind: 'sliding', ...fewest },
      { views: 1, queries: 100, kind: 'midnight', ...fewest },
      { views: 1, queries: 200, kind: 'fixed' },
      { views: 10, queries: 20, hasPeak: true },
      { views: 10, queries: 200 },
    ],
  },
  {
    title: 'More search queries than calls can serve',
    text:
      'A call carries one query. 2,000 queries that all wait need 2,000 calls for each `maxAgeMs`, ' +
      'and 10,000 a day are 417 an hour. The last row is the remedy: the same traffic with a ' +
      '`maxAgeMs` of eight hours.',
    suffices: false,
    scenarios: [
      { views: 1, queries: 2_000 },
      { views: 10, queries: 2_000 },
      { views: 1, queries: 2_000, maxAgeMs: 8 * 3_600_000 },
    ],
  },
  {
    title: 'More impressions than calls can carry',
    text:
      '10,000 calls of 1,000 impressions carry 10 million a day, which is 38 page views a second. ' +
      '100 page views a second: the whole day. 1,000: the first hour, at full rate, in which all ' +
      'of the day’s calls are made. The last three rows are 100 page views a second in three ' +
      'hundredths of their size (3 a second, batches of 30, 3,000 pending): two days, of which ' +
      'the first is delivered until its calls are spent, and the second evenly; two days with ' +
      'peaks; a day beside another program, which comes away with less than its half.',
    suffices: false,
    scenarios: [
      { views: 100 },
      { views: 1_000, hours: 1 },
      { views: 3, maxBatch: 30, maxPending: 3_000, hours: 48 },
      { views: 3, maxBatch: 30, maxPending: 3_000, hours: 48, hasPeak: true, kind: 'midnight' },
      { views: 3, maxBatch: 30, maxPending: 3_000, kind: 'fixed', ...fewest },
    ],
  },
]
