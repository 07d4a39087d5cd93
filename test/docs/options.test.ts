import assert from 'node:assert/strict'
import { runInNewContext } from 'node:vm'
import { closient } from '../../lib/networks/closient.js'
import { defineNetwork } from '../../lib/networks/define-network.js'
import { resolveOptions } from '../../lib/options.js'
import { readPage, readTables } from './markdown.js'

const network = closient({ apiKey: 'csb_key' })
const secret = '3vQ8kzT1rXw0bYp5Ln7dHs2JcMf9GaUe'
const defaults = resolveOptions({ networks: [network], visibility: { secret } })

/** The rows of a page's tables whose first column is `heading`: its name and its default. */
function readDefaults(file: string, heading = 'option'): [name: string, documented: string][] {
  const tables = readTables(readPage(file)).filter(([head]) => head?.[0] === heading)
  return tables.flatMap((table) =>
    table.slice(1).map((row) => {
      const names = row[0]?.match(/`([\w.]+)`/)
      return [names?.[1] ?? '', row.at(-1) ?? '']
    }),
  )
}

/** The real default of an option, such as `dedupe.max`, or of `closient()`. */
function findDefault(option: string): unknown {
  const real = option.split('.').reduce<unknown>((value, name) => Object(value)[name], defaults)
  // The cookie's schema turns `false` into nothing.
  if (option === 'pageLoadCookie') return real ?? false
  return real ?? Reflect.get(network, option)
}

function evaluate(expression: string): unknown {
  // Through JSON, because objects of another realm are not deeply equal to ours.
  return JSON.parse(JSON.stringify(runInNewContext(`(${expression})`)))
}

/** Options whose default is a behaviour and not a value, which docstrings and other tests state. */
const TESTED_ELSEWHERE = ['perOffer']

describe('the table of options', () => {
  for (const file of ['README.md', 'docs/options.md']) {
    it(`states the real defaults in ${file}`, () => {
      const values = readDefaults(file).filter(
        ([option, value]) => /^`[^`]+`$/.test(value) && !TESTED_ELSEWHERE.includes(option),
      )
      const documented = values.map(([option, value]) => {
        return [option, evaluate(value.replaceAll('`', ''))]
      })
      const real = values.map(([option]) => [option, findDefault(option)])
      assert.deepEqual(documented, real)
      assert.ok(documented.length >= 5)
    })

    it(`has every option in ${file}`, () => {
      const listed = readDefaults(file).map(([option]) => option.split('.')[0] ?? '')
      const missing = Object.keys(defaults).filter((name) => !listed.includes(name))
      assert.deepEqual(missing, [])
    })
  }

  it('states the real defaults of a network of your own', () => {
    const network = defineNetwork({
      name: 'acme',
      baseUrl: 'https://ads.acme.example',
      fields: [],
      parse: () => ({ campaignId: 1, item: 1 }),
      request: () => ({ method: 'POST', path: '/', headers: {}, body: '' }),
    })
    const documented = readDefaults('docs/custom-networks.md', 'part').filter(([name]) =>
      ['flush', 'onUncertain', 'connections', 'maxBatch', 'windows', 'warnings'].includes(name),
    )
    assert.equal(documented.length, 6)
    for (const [name, value] of documented) {
      assert.deepEqual(evaluate(value.replaceAll('`', '')), Reflect.get(network, name), name)
    }
  })

  it('has every part of an option that has parts, in docs/options.md', () => {
    const listed = readDefaults('docs/options.md').map(([option]) => option)
    const parts = ['traffic', 'dedupe', 'delivery'].flatMap((option) =>
      Object.keys(Object(Reflect.get(defaults, option))).map((part) => `${option}.${part}`),
    )
    assert.deepEqual(
      parts.filter((option) => !listed.includes(option)),
      [],
    )
  })
})
