import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { scrape } from '../observability/scrape.js'
import { BROWSER_HEADERS, NpmProgram, waitForImpressions } from './npm-program.js'

const FOLDER = new URL('../../examples/opentelemetry/', import.meta.url)
const METRICS_DOCS = new URL('../../docs/metrics.md', import.meta.url)

const ALERTS = readFileSync(new URL('alerts.yml', FOLDER), 'utf8')
const DASHBOARD: Dashboard = JSON.parse(readFileSync(new URL('dashboard.json', FOLDER), 'utf8'))

interface Dashboard {
  readonly panels: readonly { readonly targets: readonly { readonly expr: string }[] }[]
  readonly templating: { readonly list: readonly { readonly query?: { readonly query: string } }[] }
}

/** The names in queries or in text. */
function findNames(...texts: readonly string[]): string[] {
  return [...new Set(texts.flatMap((text) => text.match(/\bad_impressions_\w+/g) ?? []))]
}

describe('The example opentelemetry', () => {
  /** Of the metrics, and of their labels. */
  let exported: { names: string[]; labels: string[] }

  before(async () => {
    await using example = new NpmProgram('example opentelemetry')
    const sandbox = await example.waitForLine(/sandbox: (http\S+)/)
    const metrics = await example.waitForLine(/Metrics: (http\S+)/)
    const site = await example.waitForLine(/Listening on (http\S+)/)
    await fetch(site, { headers: BROWSER_HEADERS })
    await waitForImpressions(sandbox, 'closient', 2)
    let samples = await scrape(metrics)
    while (!samples.some(({ name }) => name === 'ad_impressions_outcomes_total')) {
      samples = await scrape(metrics)
    }
    exported = {
      names: [...new Set(samples.map(({ name }) => name))],
      labels: [...new Set(samples.flatMap(({ labels }) => Object.keys(labels)))],
    }
    assert.equal(await example.stop('SIGTERM'), 0)
  })

  it('exports every name that the dashboard shows', () => {
    const { panels, templating } = DASHBOARD
    const queries = [
      ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
      ...templating.list.map(({ query }) => query?.query ?? ''),
    ]
    assert.deepEqual(findUnknown(queries), [])
    assert.ok(queries.length >= 8)
  })

  it('exports every name that the five alert rules use', () => {
    assert.deepEqual(findUnknown([ALERTS]), [])
    assert.equal(ALERTS.match(/^ +- alert: \w+$/gm)?.length, 5)
  })

  it('exports exactly the names that docs/metrics.md lists', () => {
    const docs = readFileSync(METRICS_DOCS, 'utf8')
    const rows = [...docs.matchAll(/^\| `(ad_impressions_\w+)` \|/gm)].map(([, name]) => name)
    const names = exported.names.map((name) => name.replace(/_duration_\w+$/, '_duration'))
    const labels = exported.labels.filter((label) => label !== 'le')
    assert.deepEqual(rows.sort(), [...new Set(names), ...labels].sort())
  })

  /** Names outside of what is exported, and labels where a metric is expected. */
  function findUnknown(queries: readonly string[]): string[] {
    const { names, labels } = exported
    return findNames(...queries).filter((name) => !names.includes(name) && !labels.includes(name))
  }
})
