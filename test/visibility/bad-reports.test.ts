import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:http2'
import { deflateSync, gzipSync } from 'node:zlib'
import { type Clock, systemClock } from '../../lib/clock.js'
import { bareFramework, bareFrameworkOnHttp2 } from '../frameworks/bare-app.js'
import type { Framework } from '../frameworks/framework.js'
import { BROWSER_HEADERS } from '../page-load/fetch-page.js'
import { formatRequest, RawClient } from '../page-load/raw-client.js'
import { omitZeros } from '../page-load/stats-assertions.js'
import { waitForClose } from '../page-load/wait-for-close.js'
import { adsByPath, SAME_ORIGIN_HEADERS, SERVERS, VisibleSite } from './visible-site.js'

const KIB = 1_024
const PAGE_HEADERS = { ...BROWSER_HEADERS, ...SAME_ORIGIN_HEADERS }

/** The request line and headers of a report, as text. */
function formatReportHead(headers: Readonly<Record<string, string>>): string {
  return formatRequest('/_visible', { ...SAME_ORIGIN_HEADERS, ...headers }).replace('GET', 'POST')
}

/** Sends chunks until the server stops reading. @returns the number of bytes sent, and the status */
async function sendEndlessReport(port: number, protocol: Framework['protocol'], chunk: Buffer) {
  const session = protocol === 'http2' ? connect(`http://127.0.0.1:${port}`) : undefined
  const sent = session
    ? session.request({ ':method': 'POST', ':path': '/_visible', ...PAGE_HEADERS })
    : request({ port, path: '/_visible', method: 'POST', headers: PAGE_HEADERS, agent: false })
  sent.on('error', () => {})
  let status = 0
  sent.once('response', (head) => {
    status = head[':status'] ?? head.statusCode
    head.resume?.()
  })
  if ('resume' in sent) sent.resume()
  const closed = waitForClose(sent)
  let bytes = 0
  const sendMore = () => {
    while (!sent.destroyed && !sent.writableEnded) {
      bytes += chunk.length
      if (!sent.write(chunk)) break
    }
  }
  sent.on('drain', sendMore)
  sendMore()
  await closed
  session?.destroy()
  return { bytes, status }
}

describe('a report', () => {
  const invalidBodies: Readonly<
    Record<string, [makeBody: (token: string) => string | Buffer, log: RegExp]>
  > = {
    'an empty body': [() => '', /expected JSON/],
    'half a report': [(token) => `["${token}"`, /expected JSON/],
    'a token outside an array': [(token) => token, /expected JSON/],
    'a form': [(token) => `tokens=${token}`, /expected JSON/],
    'not UTF-8': [() => Buffer.from([0x5b, 0x22, 0xff, 0xfe]), /expected JSON/],
    'an object': [(token) => JSON.stringify({ 0: token, length: 1 }), /expected an array/],
    'an object with __proto__': [(token) => `{"__proto__":["${token}"]}`, /expected an array/],
    'a string': [(token) => JSON.stringify(token), /expected an array/],
    null: [() => 'null', /expected an array/],
    'an array of numbers': [() => '[1]', /expected an array/],
    'an array of arrays': [(token) => `[["${token}"]]`, /expected an array/],
    'a token and null': [(token) => `["${token}",null]`, /expected an array/],
    'unclosed arrays, nested as deeply as the limit permits': [
      () => '['.repeat(64 * KIB - 1),
      /expected JSON/,
    ],
    'deeply nested arrays': [() => '['.repeat(30_000) + ']'.repeat(30_000), /expected an array/],
    'too many tokens': [(token) => JSON.stringify(Array(101).fill(token)), /most 100 tokens/],
    'a body that is one byte too long': [
      (token) => `["${token}"]`.padEnd(64 * KIB + 1),
      /at most 65536 bytes/,
    ],
    'a body that is too long in bytes, but not in characters': [
      (token) => `["${token}","${'é'.repeat(40_000)}"]`,
      /65536 bytes/,
    ],
  }
  for (const [what, [makeBody, log]] of Object.entries(invalidBodies)) {
    it(`that is invalid counts nothing and has one outcome: ${what}`, async () => {
      await using site = await VisibleSite.start()
      const [token = ''] = await site.fetchTokens()

      const { status, text } = await site.sendReport(makeBody(token))

      assert.deepEqual([status, text], [204, ''])
      assert.deepEqual(await site.closeAndSummarize(), ['unknown invalid'])
      assert.equal(site.logLines.length, 1)
      assert.match(site.logLines.join(), log)
    })
  }

  for (const [encoding, compress] of [
    ['gzip', gzipSync],
    ['deflate', deflateSync],
  ] as const) {
    it(`that is compressed with ${encoding} counts nothing`, async () => {
      await using site = await VisibleSite.start()
      const body = compress(JSON.stringify(await site.fetchTokens()))

      await site.sendReport(body, { ...SAME_ORIGIN_HEADERS, 'content-encoding': encoding })

      assert.deepEqual(await site.closeAndSummarize(), ['unknown invalid'])
    })
  }

  it('of 100 tokens and the maximum length counts', async () => {
    await using site = await VisibleSite.start({ page: adsByPath })
    const campaigns = Array.from({ length: 100 }, (_, n) => n + 1)
    const tokens = await site.fetchTokens(`/${campaigns.join('/')}`)

    await site.sendReport(JSON.stringify(tokens).padEnd(64 * KIB))

    await site.waitForOutcomes(100)
    assert.equal(site.tracker.stats().ens?.delivered, 100)
  })

  it('that repeats a token has one outcome for it', async () => {
    await using site = await VisibleSite.start({ page: adsByPath })
    const [token] = await site.fetchTokens('/1')

    await site.sendReport(JSON.stringify(Array(100).fill(token)))

    await site.waitForOutcomes(1)
    assert.deepEqual(await site.closeAndSummarize(), ['ens delivered'])
  })

  it('has one outcome for all its forged tokens, and counts the valid ones', async () => {
    await using site = await VisibleSite.start({ page: adsByPath })
    const [token = ''] = await site.fetchTokens('/1')
    const forged = Array.from({ length: 99 }, (_, n) => `${n}${token}`)

    await site.sendReport([...forged, token])

    await site.waitForOutcomes(2)
    assert.deepEqual(await site.closeAndSummarize(), ['ens delivered', 'unknown invalid'])
  })

  it('without tokens counts nothing and has no outcome', async () => {
    await using site = await VisibleSite.start()

    assert.equal((await site.sendReport([])).status, 204)

    assert.deepEqual(await site.closeAndSummarize(), [])
  })
})

describe('an incomplete report', () => {
  it('is answered at once if its Content-Length is too large', async () => {
    await using site = await VisibleSite.start()
    await using client = await RawClient.connect(site.port)

    client.send(`${formatReportHead({ 'content-length': String(1024 ** 3) })}[`)
    await client.readUntil('\r\n\r\n')

    assert.match(client.received, /^HTTP\/1\.1 204 .*connection: close/is)
    assert.match(site.logLines.join(), /at most 65536 bytes/)
  })

  it('is answered before it is read if it comes from another site', async () => {
    await using site = await VisibleSite.start()
    await using client = await RawClient.connect(site.port)

    client.send(
      formatReportHead({ 'sec-fetch-site': 'cross-site', 'transfer-encoding': 'chunked' }),
    )
    await client.readUntil('\r\n\r\n')

    assert.match(client.received, /^HTTP\/1\.1 204 .*connection: close/is)
    assert.match(site.logLines.join(), /a request from a page of this site/)
  })

  it('is answered after 10 seconds, however slowly it arrives', async () => {
    const timers: { readonly delayMs: number; readonly task: () => void }[] = []
    const after: Clock['after'] = (delayMs, task) => {
      timers.push({ delayMs, task })
      return () => {}
    }
    await using site = await VisibleSite.start({ clock: { ...systemClock, after } })
    await using client = await RawClient.connect(site.port)

    client.send(`${formatReportHead({ 'transfer-encoding': 'chunked' })}1\r\n[\r\n`)
    const findDeadline = () => timers.find(({ delayMs }) => delayMs === 10_000)
    while (!findDeadline()) await new Promise((resolve) => setImmediate(resolve))
    client.send('1\r\n"\r\n')
    findDeadline()?.task()
    await client.readUntil('\r\n\r\n')

    assert.match(client.received, /^HTTP\/1\.1 204 .*connection: close/is)
    assert.match(site.logLines.join(), /in 10 s/)
  })

  for (const server of SERVERS) {
    it(`is no longer read once it is too long, by ${server.name}`, async () => {
      await using site = await VisibleSite.start({ server })

      const { bytes, status } = await sendEndlessReport(
        site.port,
        server.protocol,
        Buffer.alloc(16 * KIB),
      )

      // What fills the buffers between client and server counts as sent.
      assert.ok(bytes < 32 * KIB * KIB, `${bytes} bytes were sent`)
      // A client that is still sending may not receive the response.
      assert.ok(status === 204 || status === 0, `${status}`)
      assert.deepEqual(site.summaries, ['unknown invalid'])
    })
  }

  it('counts nothing if its connection is reset', async () => {
    await using site = await VisibleSite.start()
    const [token = ''] = await site.fetchTokens()
    const client = await RawClient.connect(site.port)

    client.send(`${formatReportHead({ 'content-length': '10000' })}["${token}"]`)
    await client.disconnect()

    await site.waitForOutcomes(1)
    assert.deepEqual(await site.closeAndSummarize(), ['unknown invalid'])
  })

  it('counts nothing if its HTTP/2 stream is reset', async () => {
    await using site = await VisibleSite.start({ server: bareFrameworkOnHttp2 })
    const session = connect(`http://127.0.0.1:${site.port}`)
    const stream = session.request({ ':method': 'POST', ':path': '/_visible', ...PAGE_HEADERS })
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

describe('a connection that was used for a report', () => {
  it('accepts the next request, whether the report was valid or not', async () => {
    await using site = await VisibleSite.start()
    const tokens = JSON.stringify(await site.fetchTokens())
    await using client = await RawClient.connect(site.port)

    for (const body of [tokens, '[', '{}', '["forged"]']) {
      client.send(`${formatReportHead({ 'content-length': String(body.length) })}${body}`)
    }
    client.send(formatRequest('/page'))
    await client.readUntil('data-ad-impression')

    assert.doesNotMatch(client.received, /connection: close/i)
  })

  it('does not parse the rest of a report that is too long as a request', async () => {
    await using site = await VisibleSite.start()
    await using client = await RawClient.connect(site.port)
    const smuggled = formatRequest('/smuggled')

    client.send(`${formatReportHead({ 'content-length': '70000' })}${smuggled}`.padEnd(70_500))
    client.send(smuggled)
    await client.readUntil('\r\n\r\n')
    await new Promise((resolve) => setTimeout(resolve, 20))

    assert.equal(client.received.match(/HTTP\/1\.1/g)?.length, 1)
    assert.deepEqual(omitZeros(site.tracker.stats().ens), {})
  })
})

describe('a flood of invalid reports', () => {
  const FLOOD = 10_000

  it('with forged tokens does not evict page loads, and logs one line', async () => {
    await using site = await VisibleSite.start({
      server: bareFramework,
      options: { dedupe: { max: 1 } },
    })
    const [token = ''] = await site.fetchTokens()
    const forged = Array.from({ length: 100 }, (_, n) => `${n}${token}`)

    for (let sent = 0; sent < FLOOD; sent += forged.length) await site.sendReport(forged)
    await site.sendReport([token])

    const reports = FLOOD / forged.length
    await site.waitForOutcomes(reports + 1)
    assert.equal(site.tracker.stats().unknown?.invalid, reports)
    assert.deepEqual(omitZeros(site.tracker.stats().ens), { tracked: 1, delivered: 1 })
    assert.equal(site.logLines.length, 1, site.logLines.join('\n'))
    assert.match(site.logLines.join(), /expected one that this site signed/)
  })

  it('logs one line for each kind of error', async () => {
    await using site = await VisibleSite.start()

    for (let sent = 0; sent < 20; sent += 1) {
      await site.sendReport('[')
      await site.sendReport('{}')
      await site.sendReport(['forged'])
    }

    assert.equal(site.logLines.length, 3, site.logLines.join('\n'))
    assert.equal(site.tracker.stats().unknown?.invalid, 60)
  })
})
