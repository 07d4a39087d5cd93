import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, release, totalmem, type } from 'node:os'

const require = createRequire(import.meta.url)

const PACKAGES = [
  'undici',
  'express',
  'koa',
  'ejs',
  '@koa/ejs',
  '@segment/analytics-node',
  'posthog-node',
  '@amplitude/analytics-node',
  '@snowplow/node-tracker',
]

/** Where and with what the figures were measured. */
export function describeMachine(minutes: number, notes: readonly string[]): string {
  const processors = cpus()
  const versions = PACKAGES.map((name) => `${name} ${versionOf(name)}`).join(', ')
  return [
    `Written by \`npm run bench\` in ${minutes.toFixed(1)} minutes, on ${new Date().toISOString().slice(0, 10)}.`,
    '',
    `- Machine: ${processors.length} × ${processors[0]?.model.trim()}, ` +
      `${Math.round(totalmem() / 2 ** 30)} GiB, ${type()} ${release()}`,
    `- Node.js ${process.versions.node}, V8 ${process.versions.v8}`,
    `- ad-impressions ${versionOf('ad-impressions')}; ${versions}`,
    ...notes.map((note) => `- ${note}`),
    '',
    'Contestants take turns: A B C A B C …, five rounds or more of each; lives, faults, bursts and the hour',
    'run once. A figure is the median of the rounds, and in brackets the lowest and the highest of',
    'them. Servers, sink and load generator are processes of their own. Peers run at their defaults,',
    'pointed at the local sink.',
  ].join('\n')
}

/** Some packages do not export their package.json: it is looked for above what they do export. */
function versionOf(name: string): string {
  const folder = require.resolve.paths(name)?.find((path) => hasPackage(`${path}/${name}`))
  const path = folder ? `${folder}/${name}` : new URL('..', import.meta.url).pathname
  const { version }: { version: string } = JSON.parse(readFileSync(`${path}/package.json`, 'utf8'))
  return version
}

function hasPackage(path: string): boolean {
  try {
    readFileSync(`${path}/package.json`)
    return true
  } catch {
    return false
  }
}
