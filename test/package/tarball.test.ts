import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { readLinks, readPages } from '../docs/markdown.js'
import { packTarball, ROOT, run, type Tarball } from './tarball.js'

describe('the published package', () => {
  let tarball: Tarball

  before(async function () {
    this.timeout(60_000)
    tarball = await packTarball()
  })

  it('contains only dist and the documents', () => {
    const outsideDist = tarball.paths.filter((file) => !file.startsWith('dist/'))
    const others = outsideDist.filter(
      (file) =>
        !/^(LICENSE|package\.json|[A-Z]+\.md|docs\/([\w-]+|api\/[\w.-]+)\.md|bench\/[A-Z]+\.md)$/.test(
          file,
        ),
    )
    assert.deepEqual(others, [])
  })

  it('contains every document that its documents link, except those of the source code', () => {
    const broken = readPages().flatMap((page) =>
      readLinks(page)
        .filter((link) => !/^(https?:|#)/.test(link))
        .map((link) => path.join(path.dirname(page.file), link.replace(/#.*/, '')))
        .filter((file) => !/^(lib|test|examples)\//.test(file) && !tarball.paths.includes(file)),
    )
    assert.deepEqual(broken, [])
  })

  it('contains only modules and their types in dist', () => {
    const otherFiles = tarball.paths.filter(
      (file) => /^dist\//.test(file) && !/\.(d\.ts|js)$/.test(file),
    )
    assert.deepEqual(otherFiles, [])
  })

  it('contains every file that exports, imports, bin and types name', async () => {
    const { exports, imports, bin } = JSON.parse(
      await readFile(path.join(ROOT, 'package.json'), 'utf8'),
    )
    const named = JSON.stringify([exports, imports, bin]).match(
      /(?<=")(\.\/)?(dist\/[^"]+|package\.json)/g,
    )
    const missing = named?.filter((file) => !tarball.paths.includes(file.replace(/^\.\//, '')))
    assert.deepEqual(missing, [])
  })

  it('has no problems that publint reports', async () => {
    const packed = new Blob([await readFile(tarball.file)]).stream()
    const { messages, pkg } = await publint({ pack: { tarball: packed }, strict: true })
    assert.deepEqual(
      messages.map((message) => formatMessage(message, pkg, { color: false })),
      [],
    )
  })

  it('resolves with types in every ESM module resolution', async function () {
    this.timeout(60_000)
    const attw = path.join(ROOT, 'node_modules/.bin/attw')
    await run(attw, [tarball.file, '--profile', 'esm-only', '--no-color'])
  })
})
