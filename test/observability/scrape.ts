import assert from 'node:assert/strict'

/** One line of a scrape: a name, its labels, and the value. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Reads a page of metrics over HTTP, as Prometheus does. */
export async function scrape(url: string): Promise<Sample[]> {
  const response = await fetch(url)
  assert.equal(response.status, 200)
  const text = await response.text()
  return text
    .split('\n')
    .filter((line) => line.startsWith('ad_impressions_'))
    .map(parseSample)
}

function parseSample(line: string): Sample {
  const [, name = '', labels = '', value] = /^(\w+)\{(.*)\} (\S+)$/.exec(line) ?? []
  assert.ok(name, line)
  const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)]
    .map(([, label = '', text = '']): [string, string] => [label, text])
    .filter(([label]) => !label.startsWith('otel_scope_'))
  return { name, labels: Object.fromEntries(pairs), value: Number(value) }
}

/** The values of one metric, by its labels' values, such as `{ 'ens delivered http-200': 1 }`. */
export function listValues(samples: readonly Sample[], metric: string): Record<string, number> {
  return Object.fromEntries(
    samples
      .filter(({ name }) => name === `ad_impressions_${metric}`)
      .map(({ labels, value }) => [Object.values(labels).join(' '), value]),
  )
}
