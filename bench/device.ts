/**
 * Measures how often devices and bots are recognized correctly, and at what cost. Prints Markdown.
 *
 *     npx tsx bench/device.ts [Tests/fixtures of a checkout of matomo-org/device-detector]
 *
 * Works offline with npm packages alone. The fixtures are optional.
 */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isbot } from 'isbot'
import { isBot } from '../lib/request/traffic.js'
import { readDevice } from '../lib/viewer/device.js'
import { type DeviceCase, measureAccuracy } from './device/accuracy.js'
import { PARSERS } from './device/parsers.js'
import {
  type DeviceDetectorFixtures,
  readCrawlers,
  readDeviceDetectorFixtures,
} from './device/read-user-agents.js'
import { renderRows } from './report.js'
import { readViewers } from './viewers.js'

function formatPercent(share: number | undefined, digits = 2): string {
  return share === undefined ? '–' : `${(100 * share).toFixed(digits)} %`
}

const WARM_UP_CALLS = 300

/** Microseconds per call, with each input once. */
function measureTimeUs(call: (input: string) => unknown, inputs: readonly string[]): number {
  for (const input of inputs.slice(0, WARM_UP_CALLS)) call(input)
  const startMs = performance.now()
  for (const input of inputs) call(input)
  return ((performance.now() - startMs) * 1_000) / inputs.length
}

function measureSizeKb(packageName: string): number {
  const folder = join(import.meta.dirname, '../node_modules', packageName)
  let bytes = 0
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const stats = statSync(join(folder, entry))
    if (stats.isFile()) bytes += stats.size
  }
  return Math.round(bytes / 1_000)
}

function sumWeights(cases: readonly DeviceCase[]): number {
  return cases.reduce((sum, { weight }) => sum + weight, 0)
}

const viewers = readViewers()
const userAgents = [...new Set(viewers.map(({ userAgent }) => userAgent))]
const labelledCases = viewers.map((viewer) => ({ ...viewer, truth: viewer.labelled }))
const measuredCases = viewers.flatMap((viewer) =>
  viewer.measured === undefined ? [] : [{ ...viewer, truth: viewer.measured }],
)
const parseDevice = (userAgent: string) => readDevice({ 'user-agent': userAgent })

function printDevices(): void {
  console.log(
    `## Device: ${viewers.length} page views, ${userAgents.length} user agents\n\n` +
      'By screen: the share of page views that is classified correctly, compared with the screen and\n' +
      "`navigator.platform`. By label: compared with the sample's own column, which comes from\n" +
      'ua-parser-js.\n',
  )
  const rows = PARSERS.map(({ name, packageName, parse }) => {
    const byScreen = measureAccuracy(parse, measuredCases)
    const byLabel = measureAccuracy(parse, labelledCases)
    // With this suffix, no cache of a parser has seen the user agent before.
    const parseUncached = (userAgent: string) => parse(`${userAgent} ${name.length}`)
    return [
      name,
      formatPercent(byScreen.get('all')),
      formatPercent(byScreen.get('mobile')),
      formatPercent(byScreen.get('desktop')),
      formatPercent(byScreen.get('tablet')),
      formatPercent(byLabel.get('all')),
      measureTimeUs(parseUncached, userAgents).toFixed(0),
      String(measureSizeKb(packageName)),
    ]
  })
  const columns = ['parser', 'by screen', 'phones', 'desktops', 'tablets', 'by label', 'µs', 'kB']
  console.log(`${renderRows(columns, rows)}\n`)
}

/** Phones and tablets whose user agent is that of a computer. */
function printDisguisedDevices(): void {
  const disguised = measuredCases.filter(
    ({ userAgent, truth }) => truth !== 'desktop' && /Macintosh|X11/.test(userAgent),
  )
  const others = measuredCases.filter((view) => !disguised.includes(view))
  const share = sumWeights(disguised) / sumWeights(measuredCases)
  const tablets = measureAccuracy(parseDevice, others).get('tablet')
  console.log(
    `${formatPercent(share)} of the page views are phones and tablets that identify themselves as ` +
      `computers in every header.\nOf the other tablets, ${formatPercent(tablets)} are recognized.\n`,
  )
}

function printCachedTime(): void {
  const repeated = Array.from(
    { length: 200_000 },
    (_, i) => userAgents[i % userAgents.length] ?? '',
  )
  const us = measureTimeUs(parseDevice, repeated)
  console.log(`A user agent that was parsed before: ${us.toFixed(2)} µs.\n`)
}

function printBots(fixtures: DeviceDetectorFixtures | undefined): void {
  const groups: [name: string, userAgents: readonly string[]][] = [
    ['people: the sample', userAgents],
    ['bots: crawler-user-agents', readCrawlers()],
  ]
  if (fixtures !== undefined) {
    const browsers = fixtures.browsers.map(({ userAgent }) => userAgent)
    groups.push(
      ['people: browsers of device-detector', browsers],
      ['bots: device-detector', fixtures.bots],
    )
  }
  const rows = groups.map(([name, group]) => [
    name,
    String(group.length),
    String(group.filter((userAgent) => isbot(userAgent)).length),
    String(group.filter((userAgent) => isBot({ 'user-agent': userAgent })).length),
  ])
  const columns = ['user agents', 'count', 'bots by isbot', 'bots by ad-impressions']
  console.log(`## Bots\n\n${renderRows(columns, rows)}\n`)
}

function printFixtureDevices({ browsers }: DeviceDetectorFixtures): void {
  console.log(`## Devices of device-detector: ${browsers.length} user agents, unweighted\n`)
  // node-device-detector is a port of the library that these fixtures test.
  const parsers = PARSERS.filter(({ packageName }) => packageName !== 'node-device-detector')
  const rows = parsers.map(({ name, parse }) => {
    const accuracy = measureAccuracy(parse, browsers)
    const devices = ['mobile', 'desktop', 'tablet', 'other'] as const
    return [name, ...devices.map((device) => formatPercent(accuracy.get(device), 1))]
  })
  const columns = ['parser', 'phones', 'desktops', 'tablets', 'TVs, consoles, cars, …']
  console.log(`${renderRows(columns, rows)}\n`)
}

const [fixturesFolder] = process.argv.slice(2)
const fixtures =
  fixturesFolder === undefined ? undefined : readDeviceDetectorFixtures(fixturesFolder)
printDevices()
printDisguisedDevices()
printCachedTime()
printBots(fixtures)
if (fixtures !== undefined) printFixtureDevices(fixtures)
