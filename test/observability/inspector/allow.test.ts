import assert from 'node:assert/strict'
import express from 'express'
import express4 from 'express4'
import { impressions } from '../../../lib/express.js'
import type { InspectorOption } from '../../../lib/observability/inspector/inspector.js'
import { resolveOptions, type TrackerOptions } from '../../../lib/options.js'
import { SERVERS, VisibleSite } from '../../visibility/visible-site.js'
import { INSPECTOR, withNodeEnv } from './inspected-site.js'

type Allow = Exclude<InspectorOption<unknown>, boolean>['allow']

/** A function with any result, as JavaScript allows. */
const returning = (createResult: () => unknown) => createResult as Allow

function startSite(inspector: InspectorOption<unknown>, server = SERVERS[0]) {
  const page = ({ answer }: { answer: (text: string) => void }) => answer('the page of the app')
  return VisibleSite.start({ ...(server && { server }), page, options: { inspector } })
}

/** What the page and its data answer: 200, or what the app has at these paths. */
async function readStatuses(site: VisibleSite, headers = {}): Promise<string[]> {
  const answers = await Promise.all(
    [INSPECTOR, `${INSPECTOR}?data`].map((path) => site.request(path, headers)),
  )
  return answers.map((answer) => {
    const isInspector = answer.headers['content-security-policy'] !== undefined
    return isInspector ? `inspector ${answer.status}` : 'refused'
  })
}

const SHOWN = ['inspector 200', 'inspector 200']
const REFUSED = ['refused', 'refused']

for (const server of SERVERS) {
  describe(`who may see the inspector in ${server.name}`, () => {
    it('is nobody in production without allow', async () => {
      await using site = await withNodeEnv('production', () => startSite(true, server))
      assert.deepEqual(await readStatuses(site), REFUSED)
      assert.equal((await site.request(INSPECTOR)).text, 'the page of the app')
    })

    it('is decided by allow, with the request of the framework', async () => {
      const isAdmin = (source: unknown) =>
        typeof source === 'object' &&
        source !== null &&
        'headers' in source &&
        Reflect.get(Object(source.headers), 'x-admin') === 'yes'
      await using site = await withNodeEnv('production', () =>
        startSite({ allow: isAdmin }, server),
      )
      assert.deepEqual(await readStatuses(site), REFUSED)
      assert.deepEqual(await readStatuses(site, { 'x-admin': 'yes' }), SHOWN)
      assert.deepEqual(site.logLines, [])
    })
  })
}

describe('the option inspector.allow', () => {
  it('also decides outside of production', async () => {
    await using site = await startSite({ allow: () => false })
    assert.deepEqual(await readStatuses(site), REFUSED)
    assert.deepEqual(site.logLines, [])
  })

  for (const [what, allow, logged] of [
    ['throws', () => assert.fail('no session'), /inspector\.allow threw: no session/],
    ['returns a promise', returning(async () => true), /inspector\.allow returned a promise/],
    [
      'returns a promise that rejects',
      returning(() => Promise.reject(new Error('no session'))),
      /returned a promise/,
    ],
    ['returns 1', returning(() => 1), /inspector\.allow: expected true or false/],
    ["returns 'true'", returning(() => 'true'), /expected true or false/],
    ['returns an object', returning(() => ({ user: 'admin' })), /expected true or false/],
    ['returns nothing', returning(() => undefined), /expected true or false/],
  ] as const) {
    it(`refuses if it ${what}, and logs that once`, async () => {
      await using site = await startSite({ allow })
      assert.deepEqual(await readStatuses(site), REFUSED)
      assert.deepEqual(await readStatuses(site), REFUSED)
      assert.equal(site.logLines.length, 1)
      assert.match(site.logLines[0] ?? '', logged)
    })
  }

  it('is not called for other requests', async () => {
    let calls = 0
    const allow = () => {
      calls += 1
      return true
    }
    await using site = await startSite({ allow })
    await site.request('/news')
    await site.request('/_visible/client.js')
    assert.equal(calls, 0)
  })
})

for (const server of SERVERS) {
  describe(`inspector: true in ${server.name}`, () => {
    const name = server.protocol === 'http1' ? 'host' : ':authority'

    it('is refused under a name that another site could make resolve to this machine', async () => {
      await using site = await startSite(true, server)
      for (const host of ['rebound.example', 'rebound.example:3000', 'localhost.example', '1.2']) {
        assert.deepEqual(await readStatuses(site, { [name]: host }), REFUSED, host)
      }
      assert.equal(site.logLines.length, 1)
      assert.match(
        site.logLines[0] ?? '',
        /open it at localhost or an IP address, or set inspector/,
      )
    })

    it('is shown at localhost and IP addresses', async () => {
      await using site = await startSite(true, server)
      for (const host of [
        'localhost',
        'LOCALHOST:80',
        'app.localhost',
        '192.168.1.7:3000',
        '[::1]:80',
      ]) {
        assert.deepEqual(await readStatuses(site, { [name]: host }), SHOWN, host)
      }
    })
  })
}

it('inspector.allow also decides under other names', async () => {
  await using site = await startSite({ allow: () => true })
  assert.deepEqual(await readStatuses(site, { host: 'news.example' }), SHOWN)
})

describe("the inspector's data", () => {
  it('is refused to pages of other sites', async () => {
    await using site = await startSite(true)
    for (const [origin, expected] of [
      ['cross-site', 'refused'],
      ['same-site', 'refused'],
      ['same-origin', 'inspector 200'],
      ['none', 'inspector 200'],
    ] as const) {
      const [, data] = await readStatuses(site, { 'sec-fetch-site': origin })
      assert.equal(data, expected, origin)
    }
  })
})

describe('an app that protects the path of the inspector itself', () => {
  for (const [name, makeApp] of [
    ['Express 4', express4],
    ['Express 5', express],
  ] as const) {
    it(`protects its data too, in ${name}`, async () => {
      const build = (options: TrackerOptions<unknown>) => {
        const tracker = impressions(options)
        const app = makeApp().use(INSPECTOR, (_req, res) => void res.status(401).send('sign in'))
        return { listener: app.use(tracker), trackers: [tracker] }
      }
      await using site = await VisibleSite.start({ build, options: { inspector: true } })
      assert.equal((await site.request(INSPECTOR)).status, 401)
      assert.equal((await site.request(`${INSPECTOR}?data`)).status, 401)
    })
  }
})

describe('the option inspector', () => {
  for (const wrong of ['yes', 1, null, {}, { allow: true }, { allow: () => true, path: '/' }]) {
    it(`throws at start-up for ${JSON.stringify(wrong)}`, () => {
      const options: object = { enabled: false, inspector: wrong }
      assert.throws(() => resolveOptions(options), /impressions\(\): inspector.*: /)
    })
  }
})
