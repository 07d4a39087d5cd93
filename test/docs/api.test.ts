import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { ROOT } from '../package/tarball.js'
import { readPage } from './markdown.js'

interface Entry {
  /** As it is imported, e.g. `ad-impressions/koa`. */
  readonly name: string
  /** Its source, relative to the root. */
  readonly source: string
}

function listEntries(): readonly Entry[] {
  const { exports } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
    exports: Record<string, { readonly types?: string }>
  }
  return Object.entries(exports).flatMap(([key, { types }]) =>
    types === undefined
      ? []
      : {
          name: key.replace('.', 'ad-impressions'),
          source: types.replace(/^\.\/dist\/(.*)\.d\.ts$/, 'lib/$1.ts'),
        },
  )
}

describe('the API reference', () => {
  const entries = listEntries()
  const toFileName = ({ name }: Entry) => `${name.replace('/', '.')}.md`

  it('has one page for each entry of the package', () => {
    const pages = readdirSync(path.join(ROOT, 'docs/api')).filter((file) => file !== 'README.md')
    assert.deepEqual(pages.toSorted(), entries.map(toFileName).toSorted())
  })

  for (const entry of entries) {
    it(`has a section for each value that ${entry.name} exports`, async () => {
      const { anchors } = readPage(`docs/api/${toFileName(entry)}`)
      const exported = Object.keys(await import(path.join(ROOT, entry.source)))
      assert.ok(exported.length > 0)
      assert.deepEqual(
        exported.filter((name) => !anchors.has(name.toLowerCase())),
        [],
      )
    })
  }
})
