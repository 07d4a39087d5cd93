import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { copyText, SharedTexts } from '../../lib/request/copy-text.js'

const RETAINING_SERVER = fileURLToPath(new URL('retaining-server.ts', import.meta.url))
/** The long URLs and headers are 14,000 bytes longer. */
const MAX_DIFFERENCE_BYTES = 1_500

describe('copyText()', () => {
  it('returns an equal text', () => {
    for (const text of ['', 'short', 'x'.repeat(12), 'x'.repeat(13), 'é😀\ud800'.repeat(9)]) {
      assert.equal(copyText(text), text)
    }
  })
})

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

describe('a page load with a text that was cut out of a long URL or header', () => {
  let results: Record<string, { short: number; long: number }> = {}

  before(async function measure() {
    this.timeout(120_000)
    const args = ['--import', 'tsx', RETAINING_SERVER]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    results = JSON.parse(stdout)
  })

  for (const entryPoint of [
    'campaignId',
    'campaignId as a UUID',
    'offerId',
    'searchQuery',
    'placement',
    'a field of a custom network',
    'the option searchQuery',
    'the option requestId',
    'the page-load cookie',
  ]) {
    it(`keeps no more memory than with a short one: ${entryPoint}`, () => {
      const { short, long } = results[entryPoint] ?? { short: 0, long: Number.POSITIVE_INFINITY }
      assert.ok(long < short + MAX_DIFFERENCE_BYTES, `${long} bytes, and ${short} with a short one`)
    })
  }
})
