import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, normalize, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const LIB = join(ROOT, 'lib')
const ARCHITECTURE = readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8')
const RELATIVE_IMPORT = /(?:from|import) '(\.[^']+)\.js'/g

/** The list in ARCHITECTURE.md: the names of the folders and files at the top level of `lib`. */
function readImportOrder(): readonly string[] {
  const list = /^```\n((?:[\w-]+\s→\s)+[\w-]+)\n```$/m.exec(ARCHITECTURE)?.[1] ?? ''
  return list.split(/\s→\s/)
}

/** The folder or file at the top level of `lib` that a path belongs to. */
function getEntry(path: string): string {
  const [entry = ''] = path.split(sep)
  return entry.replace(/\.ts$/, '')
}

/** The imports of one file that lead to another entry at the top level. */
function listImports(file: string): { from: string; to: string }[] {
  const imports = readFileSync(join(LIB, file), 'utf8').matchAll(RELATIVE_IMPORT)
  return Array.from(imports, ([, path = '']) => ({
    from: getEntry(file),
    to: getEntry(normalize(join(file, '..', path))),
  })).filter(({ from, to }) => from !== to)
}

function listFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  )
}

describe('ARCHITECTURE.md', () => {
  it('names only files that exist', () => {
    const files = [LIB, join(ROOT, 'test')].flatMap((folder) =>
      listFiles(folder).map((file) => join(folder, file)),
    )
    const named = Array.from(ARCHITECTURE.matchAll(/[\w./-]+\.ts\b/g), ([name]) => name)
    const missing = named.filter((name) => !files.some((file) => file.endsWith(`/${name}`)))
    assert.deepEqual(missing, [])
  })
})

describe('the list of imports in ARCHITECTURE.md', () => {
  const order = readImportOrder()
  const files = listFiles(LIB)

  it('names every folder and file at the top level of lib', () => {
    const unnamed = new Set(files.map(getEntry).filter((entry) => !order.includes(entry)))
    assert.deepEqual([...unnamed], [])
  })

  it('is followed by every import in lib', () => {
    const pointsUp = ({ from, to }: { from: string; to: string }) =>
      order.indexOf(to) < order.indexOf(from)
    const upward = files.flatMap((file) =>
      listImports(file)
        .filter(pointsUp)
        .map(({ to }) => `${file} imports ${to}`),
    )
    assert.deepEqual(upward, [])
  })
})
