/**
 * How often the viewer's device and the viewer's being a robot are read right, and at what cost.
 *
 *     npx tsx bench/device.ts [Tests/fixtures of a checkout of matomo-org/device-detector]
 *
 * Prints Markdown. Works offline, on npm packages alone; the fixtures of matomo's are read only
 * where they are given.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import bowser from 'bowser'
import { isbot } from 'isbot'
import MobileDetect from 'mobile-detect'
import MyUAParser from 'my-ua-parser'
import { UAParser } from 'ua-parser-js'
import { isBot } from '../lib/request/traffic.js'
import { type Device, isDevice, readDevice } from '../lib/viewer/device.js'
import { readViewers } from './viewers.js'

type Read = (userAgent: string) => Device | undefined
type Truth = Device | 'other'

const require = createRequire(import.meta.url)

// Its types promise a default export that the package does not have.
const DeviceDetector: typeof import('node-device-detector').default =
  require('node-device-detector')
const detector = new DeviceDetector({
  clientIndexes: true,
  deviceIndexes: true,
  osIndexes: true,
  deviceAliasCode: false,
})

// The ua-parser-js family has no type for a computer, and says so in its documents.
const typeOrDesktop = (type: string | undefined) => (type === undefined ? 'desktop' : type)

const PARSERS: readonly { name: string; packageName: string; read: Read }[] = [
  {
    name: 'ad-impressions (ua-parser-js 1 and rules)',
    packageName: 'ua-parser-js',
    read: (userAgent) => readDevice({ 'user-agent': userAgent }),
  },
  {
    name: 'ua-parser-js 1',
    packageName: 'ua-parser-js',
    read: (userAgent) => known(typeOrDesktop(new UAParser(userAgent).getDevice().type)),
  },
  {
    name: 'my-ua-parser',
    packageName: 'my-ua-parser',
    read: (userAgent) => known(typeOrDesktop(new MyUAParser(userAgent).getDevice().type)),
  },
  {
    name: 'bowser',
    packageName: 'bowser',
    read: (userAgent) => known(bowser.getParser(userAgent, true).getPlatformType(true)),
  },
  {
    name: 'mobile-detect',
    packageName: 'mobile-detect',
    read: (userAgent) => {
      const found = new MobileDetect(userAgent)
      if (found.tablet() !== null) return 'tablet'
      return found.mobile() === null ? 'desktop' : 'mobile'
    },
  },
  {
    name: 'node-device-detector',
    packageName: 'node-device-detector',
    read: (userAgent) => fromMatomo(detector.detect(userAgent).device.type ?? ''),
  },
]

function known(type: string): Device | undefined {
  return isDevice(type) ? type : undefined
}

function fromMatomo(type: string): Device | undefined {
  return /^(?:smartphone|phablet|feature phone)$/.test(type) ? 'mobile' : known(type)
}

interface Case {
  readonly userAgent: string
  readonly truth: Truth
  readonly weight: number
}

/** Shares of weight that `read` gets right: of all cases, and of each device's. */
function score(read: Read, cases: readonly Case[]): Map<Truth | 'all', number> {
  const right = new Map<Truth | 'all', number>()
  const total = new Map<Truth | 'all', number>()
  const add = (sums: Map<Truth | 'all', number>, key: Truth | 'all', weight: number) =>
    sums.set(key, (sums.get(key) ?? 0) + weight)
  const answers = new Map<string, Device | undefined>()
  for (const { userAgent, truth, weight } of cases) {
    if (!answers.has(userAgent)) answers.set(userAgent, read(userAgent))
    const answer = answers.get(userAgent)
    for (const key of ['all', truth] as const) {
      add(total, key, weight)
      add(right, key, (answer ?? 'other') === truth ? weight : 0)
    }
  }
  return new Map([...total].map(([key, weight]) => [key, (right.get(key) ?? 0) / weight]))
}

const percent = (share: number | undefined, digits = 2) =>
  share === undefined ? '–' : `${(100 * share).toFixed(digits)} %`

/** Microseconds a call, over `inputs` once each, after as many calls to warm up. */
function time(call: (input: string) => unknown, inputs: readonly string[]): number {
  for (const input of inputs.slice(0, 300)) call(input)
  const start = performance.now()
  for (const input of inputs) call(input)
  return ((performance.now() - start) * 1000) / inputs.length
}

function sizeKb(folder: string): number {
  let bytes = 0
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const stats = statSync(join(folder, entry))
    if (stats.isFile()) bytes += stats.size
  }
  return Math.round(bytes / 1000)
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  console.log([line(head), line(head.map(() => '---')), ...rows.map(line), ''].join('\n'))
}

const viewers = readViewers()
const userAgents = [...new Set(viewers.map(({ userAgent }) => userAgent))]
const labelled = viewers.map((viewer) => ({ ...viewer, truth: viewer.labelled }))
const measured = viewers.flatMap((viewer) =>
  viewer.measured === undefined ? [] : [{ ...viewer, truth: viewer.measured }],
)

console.log(`## Device: ${viewers.length} page views, ${userAgents.length} user agents\n`)
console.log(
  'By the screen: the share of page views read right, with the truth taken from the screen and\n' +
    "`navigator.platform`. By the label: with the sample's own column, which ua-parser-js filled in.\n",
)
table(
  ['parser', 'by the screen', 'phones', 'desktops', 'tablets', 'by the label', 'µs', 'kB'],
  PARSERS.map(({ name, packageName, read }) => {
    const byScreen = score(read, measured)
    return [
      name,
      percent(byScreen.get('all')),
      percent(byScreen.get('mobile')),
      percent(byScreen.get('desktop')),
      percent(byScreen.get('tablet')),
      percent(score(read, labelled).get('all')),
      // A suffix of its own makes every user agent a new one to a cache.
      time((input) => read(`${input} ${name.length}`), userAgents).toFixed(0),
      String(sizeKb(join(import.meta.dirname, '../node_modules', packageName))),
    ]
  }),
)
const posing = measured.filter(
  ({ userAgent, truth }) => truth !== 'desktop' && /Macintosh|X11/.test(userAgent),
)
const weigh = (cases: readonly Case[]) => cases.reduce((sum, { weight }) => sum + weight, 0)
console.log(
  `${percent(weigh(posing) / weigh(measured))} of the page views are tablets and phones that pose ` +
    'as computers in every header they send;\nof the tablets that do not pose, ' +
    `${percent(
      score(
        (userAgent) => readDevice({ 'user-agent': userAgent }),
        measured.filter((view) => !posing.includes(view)),
      ).get('tablet'),
    )} are read right.\n`,
)
const seen = Array.from({ length: 200_000 }, (_, i) => userAgents[i % userAgents.length] ?? '')
console.log(
  `A user agent seen before: ${time((userAgent) => readDevice({ 'user-agent': userAgent }), seen).toFixed(2)} µs.\n`,
)

const fixtures = process.argv[2] === undefined ? undefined : readFixtures(process.argv[2])

const crowds: [name: string, userAgents: readonly string[]][] = [
  ['people: the sample', userAgents],
  ['robots: crawler-user-agents', readCrawlers()],
]
if (fixtures !== undefined) {
  crowds.push(
    ["people: device-detector's browsers", fixtures.browsers.map(({ userAgent }) => userAgent)],
    ["robots: device-detector's", fixtures.robots],
  )
}

console.log('## Robots\n')
table(
  ['user agents', 'how many', 'robots by isbot', 'robots by ad-impressions'],
  crowds.map(([name, crowd]) => [
    name,
    String(crowd.length),
    String(crowd.filter((one) => isbot(one)).length),
    String(crowd.filter((one) => isBot({ 'user-agent': one })).length),
  ]),
)

if (fixtures !== undefined) {
  console.log(
    `## Devices of device-detector: ${fixtures.browsers.length} user agents, unweighted\n`,
  )
  table(
    ['parser', 'phones', 'desktops', 'tablets', 'TVs, consoles, cars, …'],
    PARSERS.filter(({ packageName }) => packageName !== 'node-device-detector').map(
      ({ name, read }) => {
        const found = score(read, fixtures.browsers)
        return [
          name,
          ...(['mobile', 'desktop', 'tablet', 'other'] as const).map((device) =>
            percent(found.get(device), 1),
          ),
        ]
      },
    ),
  )
}

function readCrawlers(): string[] {
  const crawlers: { instances: string[] }[] = require('crawler-user-agents')
  return [...new Set(crawlers.flatMap(({ instances }) => instances))]
}

/** Matomo's fixtures, by the few lines of their YAML that matter here. */
function readFixtures(folder: string): { browsers: Case[]; robots: string[] } {
  const browsers = new Map<string, Case>()
  const robots = new Set<string>()
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.yml'))) {
    for (const entry of readFileSync(join(folder, file), 'utf8').split(/^-\s*$/m)) {
      const quoted = /^ {2}user_agent: (.+)$/m.exec(entry)?.[1]
      if (quoted === undefined) continue
      const userAgent = quoted.replace(/^(['"])(.*)\1$/, '$2').replaceAll("''", "'")
      const type = /^ {2}device:\n {4}type: (.+)$/m.exec(entry)?.[1]
      if (file === 'bots.yml') robots.add(userAgent)
      else if (
        type !== undefined &&
        /^ {4}type: browser$/m.test(entry) &&
        !/^ {2}headers:/m.test(entry)
      )
        browsers.set(userAgent, { userAgent, truth: fromMatomo(type) ?? 'other', weight: 1 })
    }
  }
  return { browsers: [...browsers.values()], robots: [...robots] }
}
