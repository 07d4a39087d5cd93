import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:http2'
import { deflateSync, gzipSync } from 'node:zlib'
import { bareFramework, bareFrameworkOnHttp2 } from '../frameworks/bare-app.js'
import type { Framework } from '../frameworks/framework.js'
import { BROWSER_HEADERS } from '../page-load/fetch-page.js'
import { formatRequest, RawClient } from '../page-load/raw-client.js'
import { omitZeros } from '../page-load/stats-assertions.js'
import { waitForClose } from '../page-load/wait-for-close.js'
import { FROM_OWN_PAGE, SERVERS, VisibleSite } from './visible-site.js'

const KIB = 1_024
const SENT_BY_PAGE = { ...BROWSER_HEADERS, ...FROM_OWN_PAGE }

/** A report's head, as it goes over the wire. */
function headOf(headers: Readonly<Record<string, string>>): string {
  return formatRequest('/_visible', { ...FROM_OWN_PAGE, ...headers }).replace('GET', 'POST')
}

/** Sends chunks for as long as they are taken. @returns how many bytes were, and the status */
async function pourInto(port: number, protocol: Framework['protocol'], chunk: Buffer) {
  const session = protocol === 'http2' ? connect(`http://127.0.0.1:${port}`) : undefined
  const sent = session
    ? session.request({ ':method': 'POST', ':path': '/_visible', ...SENT_BY_PAGE })
    : request({ port, path: '/_visible', method: 'POST', headers: SENT_BY_PAGE, agent: false })
  sent.on('error', () => {})
  let status = 0
  sent.once('response', (head) => {
    status = head[':status'] ?? head.statusCode
    head.resume?.()
  })
  if ('resume' in sent) sent.resume()
  const closed = waitForClose(sent)
  let bytes = 0
  const pour = () => {
    while (!sent.destroyed && !sent.writableEnded) {
      bytes += chunk.length
      if (!sent.write(chunk)) break
    }
  }
  sent.on('drain', pour)
  pour()
  await closed
  session?.destroy()
  return { bytes, status }
}

describe('a report that is none', () => {
  const none: Readonly<Record<string, [body: (token: string) => string | Buffer, log: RegExp]>> = {
    empty: [() => '', /expected JSON/],
    'half a report': [(token) => `["${token}"`, /expected JSON/],
    'a token by itself': [(token) => token, /expected JSON/],
    'a form': [(token) => `tokens=${token}`, /expected JSON/],
    'not UTF-8': [() => Buffer.from([0x5b, 0x22, 0xff, 0xfe]), /expected JSON/],
    'an object': [(token) => JSON.stringify({ 0: token, length: 1 }), /expected an array/],
    'an object with a prototype': [(token) => `{"__proto__":["${token}"]}`, /expected an array/],
    'a text': [(token) => JSON.stringify(token), /expected an array/],
    null: [() => 'null', /expected an array/],
    'of numbers': [() => '[1]', /expected an array/],
    'of arrays': [(token) => `[["${token}"]]`, /expected an array/],
    'of a token and a null': [(token) => `["${token}",null]`, /expected an array/],
    'as deep as can be': [() => '['.repeat(64 * KIB - 1), /expected JSON/],
    'deep and whole': [() => '['.repeat(30_000) + ']'.repeat(30_000), /expected an array/],
    'of too many tokens': [(token) => JSON.stringify(Array(101).fill(token)), /most 100 tokens/],
    'too long by a byte': [(token) => `["${token}"]`.padEnd(64 * KIB + 1), /at most 65536 bytes/],
    'too long in bytes alone': [(token) => `["${token}","${'é'.repeat(40_000)}"]`, /65536 bytes/],
  }
  for (const [what, [bodyOf, log]] of Object.entries(none)) {
    it(`counts nothing, and is told as one: ${what}`, async () => {
      await using site = await VisibleSite.start()
      const [token = ''] = await site.tokens()

      const { status, text } = await site.report(bodyOf(token))

      assert.deepEqual([status, text], [204, ''])
      assert.deepEqual(await site.closeAndSummarize(), ['unknown invalid'])
      assert.equal(site.lines.length, 1)
      assert.match(site.lines.join(), log)
    })
  }

  for (const [encoding, compress] of [
    ['gzip', gzipSync],
    ['deflate', deflateSync],
  ] as const) {
    it(`counts nothing: one compressed by ${encoding}, which no browser’s half does`, async () => {
      await using site = await VisibleSite.start()
      const body = compress(JSON.stringify(await site.tokens()))

      await site.report(body, { ...FROM_OWN_PAGE, 'content-encoding': encoding })

      assert.deepEqual(await site.closeAndSummarize(), ['unknown invalid'])
    })
  }

  it('is as long as may be with a hundred tokens, and counts', async () => {
    await using site = await VisibleSite.start()
    const [token = ''] = await site.tokens()

    await site.report(JSON.stringify(Array(100).fill(token)).padEnd(64 * KIB))

    await site.waitForOutcomes(100)
    assert.equal(site.tracker.stats().ens?.delivered, 1)
    assert.equal(site.tracker.stats().ens?.duplicate, 99)
  })

  it('counts nothing if it has no token', async () => {
    await using site = await VisibleSite.start()

    assert.equal((await site.report([])).status, 204)

    assert.deepEqual(await site.closeAndSummarize(), [])
  })
})

describe('a report that does not end', () => {
  it('is answered at once where its head says that it is too long', async () => {
    await using site = await VisibleSite.start()
    await using client = await RawClient.connect(site.port)

    client.send(`${headOf({ 'content-length': String(1024 ** 3) })}[`)
    await client.readUntil('\r\n\r\n')

    assert.match(client.received, /^HTTP\/1\.1 204 .*connection: close/is)
    assert.match(site.lines.join(), /at most 65536 bytes/)
  })

  for (const server of SERVERS) {
    it(`is not read on once it is too long, in ${server.name}`, async () => {
      await using site = await VisibleSite.start({ server })

      const { bytes, status } = await pourInto(site.port, server.protocol, Buffer.alloc(16 * KIB))

      // What fills the buffers on the way counts as sent.
      assert.ok(bytes < 32 * KIB * KIB, `${bytes} bytes were taken`)
      // A browser that still sends may not hear it.
      assert.ok(status === 204 || status === 0, `${status}`)
      assert.deepEqual(site.summaries, ['unknown invalid'])
    })
  }

  it('counts nothing when it breaks off', async () => {
    await using site = await VisibleSite.start()
    const [token = ''] = await site.tokens()
    const client = await RawClient.connect(site.port)

    client.send(`${headOf({ 'content-length': '10000' })}["${token}"]`)
    await client.disconnect()

    await site.waitForOutcomes(1)
    assert.deepEqual(await site.closeAndSummarize(), ['unknown invalid'])
  })

  it('counts nothing when its stream is reset', async () => {
    await using site = await VisibleSite.start({ server: bareFrameworkOnHttp2 })
    const session = connect(`http://127.0.0.1:${site.port}`)
    const stream = session.request({ ':method': 'POST', ':path': '/_visible', ...SENT_BY_PAGE })
    stream.on('error', () => {})
    stream.write('["')
    await once(stream, 'ready').catch(() => {})
    const closed = waitForClose(stream)
    setTimeout(() => stream.close(8), 20)
    await closed

    await site.waitForOutcomes(1)
    session.destroy()
    assert.deepEqual(await site.closeAndSummarize(), ['unknown invalid'])
  })
})

describe('a connection on which a report came', () => {
  it('takes the next request, whatever the report was', async () => {
    await using site = await VisibleSite.start()
    const tokens = JSON.stringify(await site.tokens())
    await using client = await RawClient.connect(site.port)

    for (const body of [tokens, '[', '{}', '["forged"]']) {
      client.send(`${headOf({ 'content-length': String(body.length) })}${body}`)
    }
    client.send(formatRequest('/page'))
    await client.readUntil('data-ad-impression')

    assert.doesNotMatch(client.received, /connection: close/i)
  })

  it('takes nothing for a request that is in the body of one too long', async () => {
    await using site = await VisibleSite.start()
    await using client = await RawClient.connect(site.port)
    const smuggled = formatRequest('/smuggled')

    client.send(`${headOf({ 'content-length': '70000' })}${smuggled}`.padEnd(70_500))
    client.send(smuggled)
    await client.readUntil('\r\n\r\n')
    await new Promise((resolve) => setTimeout(resolve, 20))

    assert.equal(client.received.match(/HTTP\/1\.1/g)?.length, 1)
    assert.deepEqual(omitZeros(site.tracker.stats().ens), {})
  })
})

describe('a flood of forged tokens', () => {
  const FLOOD = 10_000

  it('makes no page load forgotten, and one line of the log', async () => {
    await using site = await VisibleSite.start({
      server: bareFramework,
      options: { dedupe: { max: 1 } },
    })
    const [token = ''] = await site.tokens()
    const forged = Array.from({ length: 100 }, (_, n) => `${n}${token}`)

    for (let sent = 0; sent < FLOOD; sent += forged.length) await site.report(forged)
    await site.report([token])

    await site.waitForOutcomes(FLOOD + 1)
    assert.deepEqual(omitZeros(site.tracker.stats().unknown), { tracked: FLOOD, invalid: FLOOD })
    assert.deepEqual(omitZeros(site.tracker.stats().ens), { tracked: 1, delivered: 1 })
    assert.equal(site.lines.length, 1, site.lines.join('\n'))
    assert.match(site.lines.join(), /expected one that this site has signed/)
  })

  it('of bodies that are none is one line of the log for each kind', async () => {
    await using site = await VisibleSite.start()

    for (let sent = 0; sent < 20; sent += 1) {
      await site.report('[')
      await site.report('{}')
      await site.report(['forged'])
    }

    assert.equal(site.lines.length, 3, site.lines.join('\n'))
    assert.equal(site.tracker.stats().unknown?.invalid, 60)
  })
})
