import { type ContestantName, PEER_NAMES, TRACKING_NAMES } from '../contestants/contestants.js'
import { formatNumber, type TargetResult } from '../report.js'
import { divideByRound, median, subtractByRound } from '../statistics.js'
import type { SiteFramework } from './create-site.js'
import { PAGES_PER_SECOND } from './measure-open-loop.js'
import {
  type ByContestant,
  type ClosedLoopFigures,
  FRAMEWORK_LABELS,
  getFigures,
  type OpenLoopFigures,
  type PageFigures,
} from './page-figures.js'

export function checkPageTargets(framework: SiteFramework, figures: PageFigures): TargetResult[] {
  const label = FRAMEWORK_LABELS[framework]
  const { closedLoop, openLoop } = figures
  return [
    checkNothingTracked(label, closedLoop),
    checkClosient('closientMerged', 'pages merged', 1.25, label, figures),
    checkClosient('closient', 'one batch per page', 1.5, label, figures),
    checkEns(label, closedLoop),
    checkLatency('p50', 0.5, label, openLoop),
    checkLatency('p99', 5, label, openLoop),
  ]
}

/** The CPU time per request relative to the bare page. */
function getCpuRatio(figures: ByContestant<ClosedLoopFigures>, name: ContestantName): number {
  const { cpuUs, bareCpuUs } = getFigures(figures, name)
  return median(divideByRound(cpuUs, bareCpuUs))
}

/** The CPU time per request above the bare page. */
function getAddedUs(figures: ByContestant<ClosedLoopFigures>, name: ContestantName): number {
  const { cpuUs, bareCpuUs } = getFigures(figures, name)
  return median(subtractByRound(cpuUs, bareCpuUs))
}

function checkNothingTracked(
  label: string,
  closedLoop: ByContestant<ClosedLoopFigures>,
): TargetResult {
  const ratio = getCpuRatio(closedLoop, 'none')
  return {
    subject: `a request that tracks nothing, ${label}`,
    target: 'within 2 % of bare',
    measured: `${formatIncrease(ratio)}; any template local: ${formatIncrease(getCpuRatio(closedLoop, 'local'))}`,
    isReached: ratio <= 1.02,
  }
}

function formatIncrease(ratio: number): string {
  return `${formatNumber((ratio - 1) * 100, 2)} %`
}

function checkClosient(
  name: 'closientMerged' | 'closient',
  batches: string,
  maxRatio: number,
  label: string,
  { closedLoop, standalone }: PageFigures,
): TargetResult {
  const ratio = getCpuRatio(closedLoop, name)
  const addedUs = getAddedUs(closedLoop, name)
  const peerUs = Math.min(...PEER_NAMES.map((peer) => getAddedUs(closedLoop, peer)))
  const { tracked, arrived } = getFigures(standalone, name)
  return {
    subject: `three Closient impressions, ${batches}, ${label}`,
    target: `CPU at most ${maxRatio} × bare, less than every peer, none lost`,
    measured:
      `${formatNumber(ratio)} ×; added ${formatNumber(addedUs)} µs, ` +
      `cheapest peer ${formatNumber(peerUs)} µs; ${tracked - arrived} lost`,
    isReached: ratio <= maxRatio && addedUs < peerUs && tracked === arrived,
  }
}

function checkEns(label: string, closedLoop: ByContestant<ClosedLoopFigures>): TargetResult {
  const ensUs = getAddedUs(closedLoop, 'ens')
  const segmentUs = getAddedUs(closedLoop, 'segment')
  const compareWithRequest = (name: ContestantName) =>
    getAddedUs(closedLoop, name) / getAddedUs(closedLoop, 'request')
  const ratio = compareWithRequest('ens')
  return {
    subject: `three ENS impressions, added CPU, ${label}`,
    target: 'at most 0.75 × undici.request, less than @segment/analytics-node',
    measured:
      `${formatNumber(ratio)} × (lower bound, \`dispatch\` alone: ${formatNumber(compareWithRequest('dispatch'))} ×); ` +
      `${formatNumber(ensUs)} µs, @segment/analytics-node ${formatNumber(segmentUs)} µs`,
    isReached: ratio <= 0.75 && ensUs < segmentUs,
  }
}

function checkLatency(
  percentile: 'p50' | 'p99',
  maxMs: number,
  label: string,
  openLoop: ByContestant<OpenLoopFigures>,
): TargetResult {
  const getLatencies = (name: ContestantName) => getFigures(openLoop, name)[`${percentile}Ms`]
  const getAddedMs = (name: ContestantName) =>
    median(subtractByRound(getLatencies(name), getLatencies('bare')))
  const list = (names: readonly ContestantName[]) =>
    names.map((name) => formatNumber(getAddedMs(name), 2)).join(', ')
  return {
    subject: `added ${percentile} at ${PAGES_PER_SECOND} pages a second, ${label}`,
    target: `under ${maxMs} ms`,
    measured:
      `${list(TRACKING_NAMES)} ms (3 ENS, 3 Closient merged, 3 Closient, 50 Closient); ` +
      `peers ${list(PEER_NAMES)} ms`,
    isReached: TRACKING_NAMES.every((name) => getAddedMs(name) < maxMs),
  }
}
