import { type ContestantName, contestantOf } from '../contestants/contestants.js'
import { number, type Report, type Table, type Verdict } from '../report.js'
import type { BurstLoss } from './burst.js'
import { CONTESTED, type Loss, type Losses } from './run-scenario.js'
import { SCENARIOS, type ScenarioName } from './scenarios.js'

const OWN = ['ens', 'closient'] as const

const LABELS: Partial<Record<ContestantName, string>> = {
  ens: 'ad-impressions, ENS',
  closient: 'ad-impressions, Closient',
}

const labelOf = (name: ContestantName) => LABELS[name] ?? contestantOf(name).label

export function reportOf(losses: Losses, bursts: ReadonlyMap<ContestantName, BurstLoss>): Report {
  return {
    title: 'Loss and duplication',
    tables: [lossTable(losses), leavingTable(losses), burstTable(bursts)],
    verdicts: [...lossVerdicts(losses), ...leavingVerdicts(losses), ...burstVerdicts(bursts)],
  }
}

function lossTable(losses: Losses): Table {
  const cell = ({ tracked, lost, said, twice }: Loss) => {
    const counted = said > 0 ? ` (${said} said)` : ''
    return `${tracked}: ${lost}${counted} · ${twice}`
  }
  return {
    about:
      'Each cell is `tracked: lost · twice`: impressions of pages that were answered, those that the sink ' +
      'never counted (and of these those that the library itself counts as not delivered), and those ' +
      'that it counted more than once. Ten pages a second of three impressions, sixty where the process ends; ' +
      'a call that was read and not answered has counted, the worst case for who sends again.',
    head: ['fault', ...CONTESTED.map(labelOf)],
    rows: [...losses].map(([name, ofEach]) => [
      SCENARIOS[name].label,
      ...CONTESTED.map((one) => {
        const loss = ofEach.get(one)
        return loss ? cell(loss) : '–'
      }),
    ]),
  }
}

const LEAVING = ['terminated', 'leaveHanging'] as const satisfies readonly ScenarioName[]

function leavingTable(losses: Losses): Table {
  return {
    about:
      'Milliseconds it takes to leave: on SIGTERM from the last answer to the end of the process; while ' +
      'the network hangs from the call of `close` to its end, asked to take 2 s at most.',
    head: ['', ...CONTESTED.map(labelOf)],
    rows: LEAVING.map((name) => [
      SCENARIOS[name].label,
      ...CONTESTED.map((one) => number(losses.get(name)?.get(one)?.leavingMs ?? Number.NaN)),
    ]),
  }
}

function burstTable(bursts: ReadonlyMap<ContestantName, BurstLoss>): Table {
  return {
    about:
      '200,000 impressions at once, on pages of fifty, five pages a turn of the event loop, and then 3 s to ' +
      'deliver them to a sink without latency: what arrived, what the library says of the rest, the ' +
      "longest time for which the event loop was held, and the process's memory (RSS) at its peak and before.",
    head: [
      'contestant',
      'tracked',
      'arrived',
      'twice',
      'dropped',
      'held ms',
      'peak MB',
      'before MB',
    ],
    rows: CONTESTED.flatMap((name) => {
      const burst = bursts.get(name)
      if (!burst) return []
      const account = burst.stats?.[name]
      return [
        [
          labelOf(name),
          burst.tracked.toLocaleString('en-US'),
          burst.arrived.toLocaleString('en-US'),
          burst.twice.toLocaleString('en-US'),
          account ? account.dropped.toLocaleString('en-US') : 'not said',
          number(burst.heldMs),
          number(burst.peakMb),
          number(burst.beforeMb),
        ],
      ]
    }),
  }
}

function lossVerdicts(losses: Losses): Verdict[] {
  const own = (names: readonly ScenarioName[]) =>
    names.flatMap((name) => OWN.flatMap((one) => losses.get(name)?.get(one) ?? []))
  const sum = (all: readonly Loss[], which: 'twice' | 'lost' | 'said') =>
    all.reduce((total, loss) => total + loss[which], 0)
  const survived = [...losses.keys()].filter((name) => name !== 'killed')
  const all = own([...losses.keys()])
  const uncounted = sum(own(survived), 'lost') - sum(own(survived), 'said')
  const killed = sum(own(['killed']), 'lost')
  return [
    {
      what: 'duplicates under every fault',
      target: 'none',
      measured: String(sum(all, 'twice')),
      isReached: sum(all, 'twice') === 0,
    },
    {
      what: 'lost without being counted, while the process lives',
      target: 'none',
      measured: String(uncounted),
      isReached: uncounted === 0,
    },
    {
      what: 'lost without being counted, process killed (the outbox is its memory)',
      target: 'none',
      measured: `${killed} of ${own(['killed']).reduce((total, { tracked }) => total + tracked, 0)}`,
      isReached: killed === 0,
    },
  ]
}

function leavingVerdicts(losses: Losses): Verdict[] {
  const of = (name: ScenarioName) =>
    OWN.map((one) => losses.get(name)?.get(one)?.leavingMs ?? Number.NaN)
  const healthy = of('terminated')
  const lost = OWN.map((one) => losses.get('terminated')?.get(one)?.lost ?? Number.NaN)
  const hanging = of('leaveHanging')
  const limitMs = SCENARIOS.leaveHanging.closeMs + 100
  return [
    {
      what: 'leaving, healthy (ENS, Closient)',
      target: 'all delivered within 250 ms of the last answer',
      measured: `${healthy.map((ms) => number(ms)).join(', ')} ms, ${lost.join(', ')} lost`,
      isReached: healthy.every((ms) => ms <= 250) && lost.every((count) => count === 0),
    },
    {
      what: 'leaving, the network hangs (ENS, Closient)',
      target: '`timeoutMs` (2,000) plus 100 ms',
      measured: `${hanging.map((ms) => number(ms, 4)).join(', ')} ms`,
      isReached: hanging.every((ms) => ms <= limitMs),
    },
  ]
}

function burstVerdicts(bursts: ReadonlyMap<ContestantName, BurstLoss>): Verdict[] {
  return OWN.flatMap((name): Verdict[] => {
    const burst = bursts.get(name)
    const account = burst?.stats?.[name]
    if (!burst || !account) return []
    const { tracked, delivered, dropped, uncertain } = account
    // What was under way when the time was over may have counted.
    const isExact =
      tracked === burst.tracked &&
      tracked === delivered + dropped + uncertain &&
      burst.arrived >= delivered &&
      burst.arrived <= delivered + uncertain &&
      burst.twice === 0
    return [
      {
        what: `a burst of 200,000 at once, ${labelOf(name)}`,
        target: 'accepted or `overflow`, exactly; event loop held at most 100 ms; under 250 MB',
        measured:
          `${isExact ? 'exact' : `${tracked} tracked, ${delivered} delivered, ${dropped} dropped, ${uncertain} uncertain, ${burst.arrived} arrived`}; ` +
          `${number(burst.heldMs)} ms; ${number(burst.peakMb)} MB`,
        isReached: isExact && burst.heldMs <= 100 && burst.peakMb < 250,
      },
    ]
  })
}
