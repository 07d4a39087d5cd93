import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

function listFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `${folder}/${file}`)
}

/** The files of `lib` that a test names as its subjects, each in a comment `// Tests lib/….ts`. */
function readSubjects(testFile: string): string[] {
  const comments = readFileSync(join(ROOT, testFile), 'utf8').matchAll(
    /^\/\/ Tests (lib\/\S+\.ts)$/gm,
  )
  return Array.from(comments, ([, subject = '']) => subject)
}

describe('lib/delivery and lib/counting', () => {
  const sources = [...listFiles('lib/delivery'), ...listFiles('lib/counting')]
  const tests = new Set(listFiles('test'))
  const subjects = [...tests].flatMap(readSubjects)

  it('have a test of the same name for each file, or a test that names the file', () => {
    const getTestFile = (source: string) =>
      source.replace(/^lib/, 'test').replace(/\.ts$/, '.test.ts')
    const untested = sources.filter(
      (source) => !tests.has(getTestFile(source)) && !subjects.includes(source),
    )
    assert.deepEqual(untested, [])
  })

  it('contain every file that a test names', () => {
    const existing = new Set(listFiles('lib'))
    assert.deepEqual(
      subjects.filter((subject) => !existing.has(subject)),
      [],
    )
  })
})
