import assert from 'node:assert/strict'
import { gzipSync } from 'node:zlib'
import script from '#client-script'

// It grew from 2,000: it reads no member that a named element may have replaced, and never throws.
describe('the client script', () => {
  it('is smaller than 2,600 bytes with gzip, at the default level and at the best', () => {
    const sizes = [gzipSync(script), gzipSync(script, { level: 9 })].map(({ length }) => length)
    assert.ok(Math.max(...sizes) < 2_600, `${sizes.join(' and ')} bytes`)
  })
})
