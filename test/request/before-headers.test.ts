import assert from 'node:assert/strict'
import { createServer, type ServerResponse } from 'node:http'
import { beforeHeaders } from '../../lib/request/before-headers.js'
import { getPort, listenOnLoopback } from '../page-load/listen-on-loopback.js'

/** The headers that arrive when `answer` ends a response. */
async function fetchHeaders(answer: (res: ServerResponse) => void): Promise<Headers> {
  const server = createServer((_req, res) => {
    try {
      answer(res)
      res.end()
    } catch (error) {
      res.destroy(error as Error)
    }
  })
  await listenOnLoopback(server)
  try {
    return (await fetch(`http://127.0.0.1:${getPort(server)}`)).headers
  } finally {
    server.close()
  }
}

const addCookie = (res: ServerResponse) =>
  beforeHeaders(res, () => res.appendHeader('Set-Cookie', 'added=1'))

describe('beforeHeaders()', () => {
  const FORMS: readonly (readonly [name: string, writeHead: (res: ServerResponse) => void])[] = [
    ['an object', (res) => res.writeHead(200, { 'Set-Cookie': 'sid=1', 'X-App': 'a' })],
    [
      'a reason and an object',
      (res) => res.writeHead(200, 'Fine', { 'set-cookie': ['sid=1'], 'x-app': 'a' }),
    ],
    [
      'undefined and an object',
      (res) =>
        Reflect.apply(res.writeHead, res, [
          200,
          undefined,
          { 'Set-Cookie': 'sid=1', 'X-App': 'a' },
        ]),
    ],
    [
      'null and an object',
      (res) =>
        Reflect.apply(res.writeHead, res, [200, null, { 'Set-Cookie': 'sid=1', 'X-App': 'a' }]),
    ],
    [
      'names and values in turn',
      (res) => res.writeHead(200, ['Set-Cookie', 'sid=1', 'X-App', 'a']),
    ],
    [
      'undefined and names and values',
      (res) =>
        Reflect.apply(res.writeHead, res, [200, undefined, ['Set-Cookie', 'sid=1', 'X-App', 'a']]),
    ],
  ]
  for (const [name, writeHead] of FORMS) {
    it(`keeps the headers that writeHead gets as ${name}, and adds its own`, async () => {
      const headers = await fetchHeaders((res) => {
        addCookie(res)
        writeHead(res)
      })
      assert.deepEqual(headers.getSetCookie(), ['sid=1', 'added=1'])
      assert.equal(headers.get('x-app'), 'a')
    })
  }

  it('runs when the headers are sent implicitly', async () => {
    const headers = await fetchHeaders((res) => {
      addCookie(res)
      res.setHeader('X-App', 'a')
      res.write('x')
    })
    assert.deepEqual(headers.getSetCookie(), ['added=1'])
  })

  it('sends a header twice if writeHead gets it twice', async () => {
    const headers = await fetchHeaders((res) => {
      addCookie(res)
      res.setHeader('Set-Cookie', 'replaced=1')
      res.writeHead(200, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'])
    })
    assert.deepEqual(headers.getSetCookie(), ['a=1', 'b=2', 'added=1'])
  })

  it('runs each listener once, in the order in which they were added', async () => {
    const order: number[] = []
    await fetchHeaders((res) => {
      for (const n of [1, 2, 3]) beforeHeaders(res, () => order.push(n))
      res.flushHeaders()
      res.end()
    })
    assert.deepEqual(order, [1, 2, 3])
  })

  it('lets writeHead fail as before when the headers have been sent', async () => {
    await fetchHeaders((res) => {
      addCookie(res)
      res.flushHeaders()
      assert.throws(() => res.writeHead(200, { a: 'b' }), { code: 'ERR_HTTP_HEADERS_SENT' })
    })
  })
})
