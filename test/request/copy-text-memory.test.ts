import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { copyText } from '../../lib/impression.js'

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
