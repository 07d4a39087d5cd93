import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { impressions } from '../../lib/express.js'
import { impressions as koaImpressions } from '../../lib/koa.js'
import { startSandbox } from '../../lib/sandbox/sandbox.js'
import { createTracker } from '../../lib/tracker.js'
import { bareApp } from '../frameworks/bare-app.js'
import {
  assertSecret,
  CLOSIENT_KEY,
  canaryNetworks,
  ENS_KEY,
  inspectAll,
  listEncodings,
} from '../networks/canaries.js'
import { tokensIn, twoAds, VisibleSite } from './visible-site.js'

const SECRETS = [
  'canary-new-"\\<&>~-77ab0123456789-abcdef',
  'canary-old-"\\<&>~-5f0e3a7c-0123456789-x',
]
const FORMS = SECRETS.flatMap(listEncodings)

/** @throws if a text holds a key or a secret in any form */
function assertNothingSecret(text: string, where: string): void {
  assertSecret(text, where)
  for (const form of FORMS) assert.ok(!text.includes(form), `${where} shows a secret`)
}

/** A page, its report, good and bad: all that anyone gets to see of them. */
async function everything() {
  const fields: string[] = []
  await using networks = await startSandbox({
    ens: { apiKey: ENS_KEY },
    closient: { apiKey: CLOSIENT_KEY },
  })
  const helpers: string[] = []
  await using site = await VisibleSite.start({
    networks: () => canaryNetworks(networks.ens.baseUrl, networks.closient.baseUrl),
    options: { visibility: { secret: SECRETS } },
    build(options) {
      const log = (its: object, message: string) => void fields.push(inspectAll(its), message)
      const logger = { debug: log, warn: log, error: log }
      const tracker = createTracker({
        networks: options.networks,
        visibility: options.visibility,
        logger,
      })
      helpers.push(inspectAll(tracker), inspectAll(impressions({ tracker })))
      helpers.push(inspectAll(koaImpressions({ tracker })))
      return bareApp([tracker], (visit) => {
        twoAds(visit)
        helpers.push(
          inspectAll(visit.trackImpression),
          inspectAll(visit.res),
          inspectAll(visit.req),
        )
      })
    },
  })
  const { text, headers } = await site.ask()
  const tokens = tokensIn(text)
  const answers = [await site.report(tokens), await site.report(['forged']), await site.report('[')]
  await site.whenTold(4)
  const payloads = tokens.map((token) => Buffer.from(token.split('.')[0] ?? '', 'base64url'))
  const script = await site.ask('/_visible/client.js')
  return {
    told: site.told,
    seen: {
      page: text,
      'a token': payloads.join('\n'),
      'a head': inspectAll([headers, script.headers]),
      'an answer': inspectAll(answers),
      'the script': script.text,
      'the log': fields.join('\n'),
      'an outcome': inspectAll([site.outcomes, site.tracker.stats()]),
      'the helper, the tracker or the middleware': helpers.join('\n'),
    },
  }
}

describe('the secret that signs tokens, and the keys', () => {
  it('are nowhere to be seen of a page, its reports and what is logged of them', async () => {
    const { told, seen } = await everything()

    assert.deepEqual(told, [
      'closient delivered',
      'ens delivered',
      'unknown invalid',
      'unknown invalid',
    ])
    assert.match(seen['the log'], /viewable impression is not counted/)
    for (const [where, text] of Object.entries(seen)) {
      assert.ok(text.length > 0, where)
      assertNothingSecret(text, where)
    }
  })

  it('are in no complaint about the options', () => {
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

  it('would be found by these tests', () => {
    for (const secret of SECRETS) {
      for (const text of [secret, inspectAll({ a: [{ secret }] }), inspectAll(new Error(secret))]) {
        assert.throws(() => assertNothingSecret(text, 'this'), /this shows a/)
      }
    }
  })
})
