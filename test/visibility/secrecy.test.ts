import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { impressions } from '../../lib/express.js'
import { impressions as koaImpressions } from '../../lib/koa.js'
import { startSandbox } from '../../lib/sandbox/sandbox.js'
import { createTracker } from '../../lib/tracker.js'
import { createBareApp } from '../frameworks/bare-app.js'
import {
  assertSecret,
  CLOSIENT_KEY,
  canaryNetworks,
  ENS_KEY,
  inspectAll,
  listEncodings,
} from '../networks/canaries.js'
import { findTokens, twoAds, VisibleSite } from './visible-site.js'

const SECRETS = [
  'canary-new-"\\<&>~-77ab0123456789-abcdef',
  'canary-old-"\\<&>~-5f0e3a7c-0123456789-x',
]
const SECRET_ENCODINGS = SECRETS.flatMap(listEncodings)

/** @throws if a text contains a key or a secret, in any encoding */
function assertNothingSecret(text: string, where: string): void {
  assertSecret(text, where)
  for (const encoded of SECRET_ENCODINGS) {
    assert.ok(!text.includes(encoded), `${where} shows a secret`)
  }
}

/** Serves a page and takes valid and invalid reports. @returns everything that anyone can see of it */
async function collectOutput() {
  const logged: string[] = []
  await using networks = await startSandbox({
    ens: { apiKey: ENS_KEY },
    closient: { apiKey: CLOSIENT_KEY },
  })
  const inspected: string[] = []
  await using site = await VisibleSite.start({
    networks: () => canaryNetworks(networks.ens.baseUrl, networks.closient.baseUrl),
    options: { visibility: { secret: SECRETS } },
    build(options) {
      const log = (context: object, message: string) =>
        void logged.push(inspectAll(context), message)
      const logger = { debug: log, warn: log, error: log }
      const tracker = createTracker({
        networks: options.networks,
        visibility: options.visibility,
        logger,
      })
      inspected.push(inspectAll(tracker), inspectAll(impressions({ tracker })))
      inspected.push(inspectAll(koaImpressions({ tracker })))
      return createBareApp([tracker], (visit) => {
        void twoAds(visit)
        inspected.push(
          inspectAll(visit.trackImpression),
          inspectAll(visit.res),
          inspectAll(visit.req),
        )
      })
    },
  })
  const { text, headers } = await site.request()
  const tokens = findTokens(text)
  const answers = [
    await site.sendReport(tokens),
    await site.sendReport(['forged']),
    await site.sendReport('['),
  ]
  await site.waitForOutcomes(4)
  const payloads = tokens.map((token) => Buffer.from(token.split('.')[0] ?? '', 'base64url'))
  const script = await site.request('/_visible/client.js')
  return {
    outcomes: site.summaries,
    output: {
      page: text,
      'a token': payloads.join('\n'),
      'the response headers': inspectAll([headers, script.headers]),
      'a response': inspectAll(answers),
      'the script': script.text,
      'the log': logged.join('\n'),
      'an outcome': inspectAll([site.outcomes, site.tracker.stats()]),
      'the helper, the tracker or the middleware': inspected.join('\n'),
    },
  }
}

describe('the signing secrets and the API keys', () => {
  it('do not appear in a page, in the responses to its reports, in the log or in any object', async () => {
    const { outcomes, output } = await collectOutput()

    assert.deepEqual(outcomes, [
      'closient delivered',
      'ens delivered',
      'unknown invalid',
      'unknown invalid',
    ])
    assert.match(output['the log'], /visible impression is not counted/)
    for (const [where, text] of Object.entries(output)) {
      assert.ok(text.length > 0, where)
      assertNothingSecret(text, where)
    }
  })

  it('do not appear in errors about the options', () => {
    const networks = canaryNetworks('http://127.0.0.1:9')
    for (const visibility of [
      { secret: SECRETS[0]?.slice(0, 31) },
      { secret: [SECRETS[0], 'canary-new-'] },
      { secret: { secret: SECRETS[0] } },
      { secret: SECRETS, path: SECRETS[0] },
      { secret: SECRETS, tokenTtlMs: SECRETS[0] },
      { secret: SECRETS, tokenTtlMs: 1e9 },
      { secret: SECRETS, other: SECRETS[0] },
      SECRETS,
      SECRETS[0],
    ]) {
      assert.throws(
        () => Reflect.apply(createTracker, undefined, [{ networks, visibility }]),
        (error) => {
          assertNothingSecret(inspectAll(error), inspect(visibility))
          return true
        },
      )
    }
  })

  it('would be found by these tests if they appeared', () => {
    for (const secret of SECRETS) {
      for (const text of [secret, inspectAll({ a: [{ secret }] }), inspectAll(new Error(secret))]) {
        assert.throws(() => assertNothingSecret(text, 'this'), /this shows a/)
      }
    }
  })
})
