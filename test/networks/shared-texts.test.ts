import assert from 'node:assert/strict'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { SharedTexts } from '../../lib/networks/shared-texts.js'

describe('SharedTexts', () => {
  it('returns an equal text, however long it is and however often it is copied', () => {
    const texts = new SharedTexts()
    for (const text of ['', 'short', 'x'.repeat(64), 'x'.repeat(65), 'é😀\ud800'.repeat(9)]) {
      assert.equal(texts.copy(text), text)
      assert.equal(texts.copy(text), text)
    }
  })

  it('keeps less than 4 MB, however many texts clients make up', () => {
    setFlagsFromString('--expose-gc')
    const collectGarbage = runInNewContext('gc')
    const texts = new SharedTexts()
    collectGarbage()
    const before = process.memoryUsage().heapUsed
    for (let n = 0; n < 60_000; n += 1) {
      texts.copy(`${n}${'д'.repeat(1_000)}`.slice(0, n % 2 === 0 ? 64 : 500))
    }
    collectGarbage()
    const bytes = process.memoryUsage().heapUsed - before
    assert.equal(texts.copy('a'), 'a')
    assert.ok(bytes < 4_000_000, `${bytes} bytes`)
  })
})
