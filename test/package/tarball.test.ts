import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { packTarball, ROOT, run, type Tarball } from './tarball.js'

describe('the package as it is published', () => {
  let tarball: Tarball

  before(async function () {
    this.timeout(60_000)
    tarball = await packTarball()
  })

  it('holds dist and the documents, and nothing else', () => {
    const top = new Set(tarball.paths.map((file) => file.replace(/^dist\/.*$/, 'dist')))
    assert.deepEqual(
      [...top].sort(),
      ['CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md', 'dist', 'package.json'].sort(),
    )
  })

  it('holds of dist the modules and their types only', () => {
    const others = tarball.paths.filter(
      (file) => /^dist\//.test(file) && !/\.(d\.ts|js)$/.test(file),
    )
    assert.deepEqual(others, [])
  })

  it('names in exports, imports, bin and types only files that it holds', async () => {
    const { exports, imports, bin } = JSON.parse(
      await readFile(path.join(ROOT, 'package.json'), 'utf8'),
    )
    const named = JSON.stringify([exports, imports, bin]).match(
      /(?<=")(\.\/)?(dist\/[^"]+|package\.json)/g,
    )
    const missing = named?.filter((file) => !tarball.paths.includes(file.replace(/^\.\//, '')))
    assert.deepEqual(missing, [])
  })

  it('gives publint nothing to suggest', async () => {
    const packed = new Blob([await readFile(tarball.file)]).stream()
    const { messages, pkg } = await publint({ pack: { tarball: packed }, strict: true })
    assert.deepEqual(
      messages.map((message) => formatMessage(message, pkg, { color: false })),
      [],
    )
  })

  it('resolves with types wherever ESM does', async function () {
    this.timeout(60_000)
    const attw = path.join(ROOT, 'node_modules/.bin/attw')
    await run(attw, [tarball.file, '--profile', 'esm-only', '--no-color'])
  })
})
