import assert from 'node:assert/strict'
import { impressions } from '../../lib/express.js'
import { impressions as koaImpressions } from '../../lib/koa.js'
import { builtInNetworks } from '../../lib/networks/built-in-networks.js'
import { assembleTracker, createTracker } from '../../lib/tracker.js'
import {
  assertSecret,
  CLOSIENT_KEY,
  canaryNetworks,
  ENS_KEY,
  inspectAll,
  KEYS,
} from './canaries.js'
import { withEnvironment } from './environment.js'

describe('an API key', () => {
  it('is not visible in anything that the library returns', () => {
    const networks = canaryNetworks('https://ads.example.com')
    const tracker = createTracker({ networks })
    const express = impressions({ tracker })
    const koa = koaImpressions({ tracker })
    for (const value of [networks, ...networks, tracker, express, koa, tracker.stats()]) {
      assertSecret(inspectAll(value), 'what the library returns')
    }
    const { methods } = assembleTracker({ networks })
    assertSecret(inspectAll(methods), 'the tracker')
  })

  it('is in exactly one header of a request', () => {
    for (const network of canaryNetworks('https://ads.example.com')) {
      const { method, path, body, headers } = network.request([{}])
      assertSecret([method, path, body].join(), 'the request line or body')
      assert.equal(
        Object.values(headers).filter((value) => KEYS.some((key) => value.includes(key))).length,
        1,
      )
    }
  })

  for (const [title, options] of [
    ['as the options themselves', ENS_KEY],
    ['as a list', [ENS_KEY]],
    ['as the networks', { networks: ENS_KEY }],
    ['as a network', { networks: [ENS_KEY, CLOSIENT_KEY] }],
    ['as an unknown option', { apiKey: ENS_KEY, closient: { apiKey: CLOSIENT_KEY } }],
    [
      'as every option',
      Object.fromEntries(
        [
          'country',
          'strict',
          'device',
          'logger',
          'traffic',
          'dedupe',
          'delivery',
          'consent',
          'pageLoadCookie',
        ].map((name) => [name, ENS_KEY]),
      ),
    ],
    ['inside an option', { dedupe: { max: ENS_KEY, key: ENS_KEY }, traffic: { bots: ENS_KEY } }],
  ] as const) {
    for (const create of [createTracker, impressions]) {
      it(`is in no error of ${create.name}() if it is passed ${title}`, () => {
        assertErrorSecret(() => Reflect.apply(create, undefined, [options]))
      })
    }
  }

  for (const create of Object.values(builtInNetworks)) {
    for (const [title, options] of [
      ['as the options themselves', ENS_KEY],
      ['as a list', { apiKey: [ENS_KEY] }],
      ['with a line break', { apiKey: `${ENS_KEY}\n` }],
      ['with its scheme', { apiKey: `Bearer ${ENS_KEY}` }],
      [
        'for every option',
        { apiKey: { key: ENS_KEY }, flush: ENS_KEY, connections: ENS_KEY, key: ENS_KEY },
      ],
      ['as the base URL', { apiKey: ENS_KEY, baseUrl: ENS_KEY }],
      [
        'in the base URL',
        { apiKey: ENS_KEY, baseUrl: `https://u:${encodeURIComponent(ENS_KEY)}@a.example` },
      ],
      [
        'in the query of the base URL',
        { apiKey: ENS_KEY, baseUrl: `https://a.example/?k=${encodeURIComponent(ENS_KEY)}` },
      ],
      [
        'in the path of an insecure base URL',
        { apiKey: ENS_KEY, baseUrl: `http://a.example/${encodeURIComponent(ENS_KEY)}` },
      ],
    ] as const) {
      it(`is in no error of ${create.name}() if it is passed ${title}`, () => {
        assertErrorSecret(() => Reflect.apply(create, undefined, [options]))
      })
    }
  }

  it('is in no error if the environment has it in the wrong place', () => {
    for (const environment of [
      { ENS_API_KEY: `${ENS_KEY}\r` },
      { CLOSIENT_API_KEY: ` ${CLOSIENT_KEY}` },
      { ENS_API_KEY: ENS_KEY, ENS_BASE_URL: CLOSIENT_KEY },
      {
        ENS_API_KEY: ENS_KEY,
        ENS_BASE_URL: `http://ads.example.com/${encodeURIComponent(ENS_KEY)}`,
      },
    ]) {
      assertErrorSecret(() => withEnvironment(environment, () => createTracker()))
    }
  })

  function assertErrorSecret(act: () => unknown): void {
    let thrown: unknown
    try {
      act()
    } catch (error) {
      thrown = error
    }
    assert.ok(thrown instanceof Error, 'expected an error')
    assertSecret(inspectAll(thrown), 'the error')
  }
})
