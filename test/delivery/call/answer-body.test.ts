import assert from 'node:assert/strict'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { MAX_BODY_BYTES } from '../../../lib/delivery/call/answer-body.js'
import type { CallEnd, Transport } from '../../../lib/delivery/call/transport.js'
import { startRawServer } from './raw-server.js'
import { createTransportTo, sendCall } from './send-call.js'

const REFUSAL = '{"status":"error","message":"campagne terminée – 終了"}'
const KIB = 1_024
const MIB = 1_024 * KIB

const utf16 = (text: string) => Buffer.from(text, 'utf16le')
const bigEndian = (text: string) => utf16(text).swap16()
const gzip = (bytes: Buffer) => gzipSync(bytes)
const withByteOrderMark = (text: string) => `\ufeff${text}`

describe('the body of an answer', () => {
  let transport: Transport | undefined

  afterEach(() => transport?.destroy())

  /** The answer of a server that writes this response, in one piece unless `chunkBytes` is given. */
  async function answerWith(
    body: Buffer | string,
    headers: Readonly<Record<string, string>> = {},
    { status = 200, length = Buffer.byteLength(body), chunkBytes = Number.POSITIVE_INFINITY } = {},
  ): Promise<Extract<CallEnd, { answer: unknown }>> {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    const head = `HTTP/1.1 ${status} X\r\n${lines.join('')}content-length: ${length}\r\n\r\n`
    await using server = await startRawServer(async ({ socket }) => {
      socket.write(head)
      const bytes = Buffer.from(body)
      for (let at = 0; at < bytes.length; at += chunkBytes) {
        socket.write(bytes.subarray(at, at + chunkBytes))
        if (chunkBytes < bytes.length) await new Promise((resolve) => setImmediate(resolve))
      }
      if (length > bytes.length) socket.end()
    })
    transport = createTransportTo(server.baseUrl)
    const end = await sendCall(transport)
    assert('answer' in end)
    return end
  }

  /** The bytes without the last ones. */
  const truncate = (bytes: Buffer, missing = 4) => bytes.subarray(0, bytes.length - missing)

  it('is requested without compression', async () => {
    await using server = await startRawServer(({ socket }) => socket.end())
    transport = createTransportTo(server.baseUrl)
    await sendCall(transport)
    assert.match(server.connections[0]?.received ?? '', /\r\naccept-encoding: identity\r\n/)
  })

  for (const [title, body, headers] of [
    ['UTF-8', REFUSAL, {}],
    ['UTF-8 with a byte order mark', withByteOrderMark(REFUSAL), {}],
    ['UTF-8, labelled in upper case', REFUSAL, { 'content-type': 'text/html; Charset="UTF-8"' }],
    ['UTF-8, wrongly labelled', REFUSAL, { 'content-type': 'application/json; charset=utf-16' }],
    ['UTF-16 with a byte order mark', utf16(withByteOrderMark(REFUSAL)), {}],
    ['big-endian UTF-16 with a byte order mark', bigEndian(withByteOrderMark(REFUSAL)), {}],
    ['UTF-16', utf16(REFUSAL), { 'content-type': 'application/json; charset=utf-16le' }],
    ['UTF-16 without a label', utf16(REFUSAL), { 'content-type': 'application/json' }],
    ['big-endian UTF-16 without a label', bigEndian(REFUSAL), {}],
    ['gzip', gzipSync(REFUSAL), { 'content-encoding': 'gzip' }],
    [
      'gzip in two parts',
      Buffer.concat([gzipSync('{"status":"error"'), gzipSync(REFUSAL.slice(17))]),
      { 'content-encoding': 'GZIP' },
    ],
    ['x-gzip', gzipSync(REFUSAL), { 'content-encoding': 'x-gzip' }],
    ['Brotli', brotliCompressSync(REFUSAL), { 'content-encoding': 'br' }],
    ['deflate', deflateSync(REFUSAL), { 'content-encoding': 'deflate' }],
    ['deflate without the zlib format', deflateRawSync(REFUSAL), { 'content-encoding': 'deflate' }],
    ['gzip of Brotli', gzipSync(brotliCompressSync(REFUSAL)), { 'content-encoding': 'br, gzip' }],
    ['identity', REFUSAL, { 'content-encoding': 'identity' }],
    ['a compression that was not applied', REFUSAL, { 'content-encoding': 'gzip' }],
    ['an unknown compression', REFUSAL, { 'content-encoding': 'none' }],
    [
      'gzip of UTF-16',
      gzipSync(utf16(REFUSAL)),
      { 'content-encoding': 'gzip', 'content-type': 'text/plain; charset=utf-16' },
    ],
  ] as const) {
    it(`is read: ${title}`, async () => {
      const { answer, unreadable } = await answerWith(body, headers)
      assert.equal(answer.body, REFUSAL)
      assert.equal(unreadable, undefined)
    })
  }

  for (const [charset, bytes, text] of [
    ['iso-8859-1', Buffer.from('{"message":"épuisé"}', 'latin1'), '{"message":"épuisé"}'],
    ['windows-1251', Buffer.from('{"message":"\xec\xe8\xf0"}', 'latin1'), '{"message":"мир"}'],
    ['shift_jis', Buffer.from('{"message":"\x8fI\x97\xb9"}', 'latin1'), '{"message":"終了"}'],
    // A 7-bit charset: bytes that JSON uses may be part of other characters.
    ['iso-2022-jp', Buffer.from('{"message":"\x1b$B%"%$\x1b(B"}'), '{"message":"アイ"}'],
  ] as const) {
    it(`is decoded with its charset, ${charset}`, async () => {
      const { answer } = await answerWith(bytes, {
        'content-type': `text/plain;charset=${charset}`,
      })
      assert.equal(answer.body, text)
    })
  }

  it('can be parsed as JSON if its charset is unknown or missing', async () => {
    const bytes = Buffer.from('{"status":"error","message":"épuisé"}', 'latin1')
    for (const type of ['application/json', 'application/json; charset=klingon']) {
      const { answer, unreadable } = await answerWith(bytes, { 'content-type': type })
      assert.equal(JSON.parse(answer.body).status, 'error')
      assert.equal(unreadable, undefined)
    }
  })

  it('is kept up to one MiB, however it is split', async () => {
    const body = JSON.stringify({ status: 'error', details: 'x'.repeat(300 * KIB) })
    for (const chunkBytes of [body.length, 7_000]) {
      const { answer, unreadable } = await answerWith(body, {}, { status: 422, chunkBytes })
      assert.equal(answer.body, body)
      assert.equal(unreadable, undefined)
    }
  })

  it('is truncated at one MiB, and its connection is closed', async () => {
    const { answer, unreadable } = await answerWith(
      'x'.repeat(MAX_BODY_BYTES + 1),
      {},
      { length: 8 * MIB },
    )
    assert.equal(answer.status, 200)
    assert.equal(answer.body.length, MAX_BODY_BYTES)
    assert.match(unreadable ?? '', /longer than 1048576 bytes/)
  })

  for (const [coding, bomb] of [
    ['gzip', gzipSync(Buffer.alloc(300 * MIB))],
    ['br', brotliCompressSync(Buffer.alloc(50 * MIB))],
    ['gzip, gzip', gzipSync(gzipSync(Buffer.alloc(300 * MIB)))],
    ['deflate', deflateSync(Buffer.alloc(100 * MIB))],
  ] as const) {
    it(`is not decompressed beyond one MiB: ${coding}`, async () => {
      const before = process.memoryUsage()
      const { answer, unreadable } = await answerWith(bomb, { 'content-encoding': coding })
      const after = process.memoryUsage()
      assert.deepEqual([answer.status, answer.body], [200, ''])
      assert.equal(unreadable, `its encoding is ${coding}`)
      const grownBytes = after.external + after.arrayBuffers - before.external - before.arrayBuffers
      assert(grownBytes < 20 * MIB, `${grownBytes}`)
    })
  }

  for (const [title, body, coding] of [
    ['an unsupported compression', Buffer.from('28b52ffd0400', 'hex'), 'zstd'],
    ['corrupt gzip', gzipSync(REFUSAL).fill(0xaa, 4, 30), 'gzip'],
    ['four compressions', [1, 2, 3, 4].reduce(gzip, Buffer.from('x')), 'gzip, gzip, gzip, gzip'],
    ['gzip without a content-encoding header', gzipSync(REFUSAL), undefined],
  ] as const) {
    it(`is reported as unreadable: ${title}`, async () => {
      const headers = coding === undefined ? {} : { 'content-encoding': coding }
      const { answer, unreadable } = await answerWith(body, headers)
      assert.deepEqual([answer.status, answer.body], [200, ''])
      assert.equal(unreadable, `its encoding is ${coding ?? 'unknown'}`)
    })
  }

  it('is read up to where the connection broke', async () => {
    const long = JSON.stringify({
      status: 'error',
      list: Array.from({ length: 5_000 }, (_, n) => n),
    })
    for (const [bytes, coding] of [
      [gzipSync(long), 'gzip'],
      [deflateSync(long), 'deflate'],
      [brotliCompressSync(long), 'br'],
      [Buffer.from(long), 'identity'],
    ] as const) {
      const headers = { 'content-encoding': coding }
      const { answer } = await answerWith(truncate(bytes, 8), headers, { length: bytes.length })
      assert(answer.body.length > 10_000, coding)
      assert(long.startsWith(answer.body), coding)
    }
  })

  it('is read after 200 kB of headers', async () => {
    const long = Object.fromEntries(
      Array.from({ length: 40 }, (_, n) => [`x-policy-${n}`, 'x'.repeat(5_000)]),
    )
    const { answer } = await answerWith(REFUSAL, { ...long, 'retry-after': '7' }, { status: 429 })
    assert.deepEqual([answer.status, answer.body], [429, REFUSAL])
    assert.equal(answer.headers['retry-after'], '7')
  })

  it('never makes the call fail, whatever bytes and headers it has', async function () {
    this.timeout(60_000)
    const coding = fc.constantFrom('gzip', 'br', 'deflate', 'zstd', 'gzip, br', '', ',', 'x')
    const charset = fc.constantFrom(
      '',
      '; charset=utf-16',
      ';charset="',
      '; charset=x-user-defined',
    )
    await fc.assert(
      fc.asyncProperty(fc.uint8Array(), coding, charset, async (bytes, encoding, label) => {
        const headers = { 'content-encoding': encoding, 'content-type': `text/plain${label}` }
        const { answer } = await answerWith(Buffer.from(bytes), headers, { status: 500 })
        assert.equal(answer.status, 500)
      }),
      { numRuns: 100 },
    )
  })
})
