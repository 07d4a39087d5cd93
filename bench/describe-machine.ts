import { existsSync, readFileSync } from 'node:fs'
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

/** Describes where, with which versions and how the figures were measured, as Markdown. */
export function describeMachine(minutes: number, notes: readonly string[]): string {
  const processors = cpus()
  const versions = PACKAGES.map((name) => `${name} ${readVersion(name)}`).join(', ')
  return [
    `Written by \`npm run bench\` in ${minutes.toFixed(1)} minutes, on ${new Date().toISOString().slice(0, 10)}.`,
    '',
    `- Machine: ${processors.length} × ${processors[0]?.model.trim()}, ` +
      `${Math.round(totalmem() / 2 ** 30)} GiB, ${type()} ${release()}`,
    `- Node.js ${process.versions.node}, V8 ${process.versions.v8}`,
    `- ad-impressions ${readVersion('ad-impressions')}; ${versions}`,
    ...notes.map((note) => `- ${note}`),
    '',
    'Contestants take turns: A B C A B C …, with at least five rounds each. Standalone sites, faults,',
    'bursts and the virtual hour run once. A figure is the median of the rounds; the lowest and the',
    'highest are in parentheses. Sites, sink and load generator run in separate processes. Peers run',
    'with their default settings against the local sink.',
  ].join('\n')
}

/** Some packages do not export their package.json, so it is read from the file system. */
function readVersion(name: string): string {
  const folder = require.resolve
    .paths(name)
    ?.map((path) => `${path}/${name}`)
    .find((path) => existsSync(`${path}/package.json`))
  const path = folder ?? new URL('..', import.meta.url).pathname
  const { version }: { version: string } = JSON.parse(readFileSync(`${path}/package.json`, 'utf8'))
  return version
}
