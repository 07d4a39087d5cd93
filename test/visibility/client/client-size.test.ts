import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { gzipSync } from 'node:zlib'

// It grew from 2,000: it reads no member that a named element may have replaced, and never throws.
describe('the client script', () => {
  it('is smaller than 2,600 bytes with gzip, at the default level and at the best', () => {
    const file = readFileSync(createRequire(import.meta.url).resolve('#client-script'))
    const sizes = [gzipSync(file), gzipSync(file, { level: 9 })].map(({ length }) => length)
    assert.ok(Math.max(...sizes) < 2_600, `${sizes.join(' and ')} bytes`)
  })
})
