import assert from 'node:assert/strict'
import { testConcurrently } from './concurrent-scenarios.js'
import type { TestPage } from './test-page.js'

/** Markup that sanitizers may leave in a comment of a reader. */
const CLOBBERING: Readonly<Record<string, string>> = {
  'an image named currentScript': '<img name="currentScript" src="//localhost:9/client.js">',
  'a form named currentScript': '<form name="currentScript"><input name="src"></form>',
  'elements named adImpressions':
    '<a id="adImpressions"></a><a id="adImpressions" name="flush"></a>',
  'elements named like members of the document': [
    ...['visibilityState', 'prerendering', 'querySelectorAll', 'addEventListener', 'contains'],
  ]
    .map((name) => `<form name="${name}"></form><img name="${name}">`)
    .join(''),
  'elements named like members of the window': [
    ...['fetch', 'navigator', 'performance', 'setTimeout', 'IntersectionObserver', 'location'],
  ]
    .map((name) => `<a id="${name}" href="//localhost:9/">.</a>`)
    .join(''),
}

const FORM_FIELDS = ['getAttribute', 'isConnected', 'parentElement', 'querySelector']
const INPUTS = [...FORM_FIELDS, 'getBoundingClientRect', 'complete']
  .map((name) => `<input name="${name}">`)
  .join('')

async function assertCounts(page: TestPage): Promise<void> {
  await page.waitUntilCounted('seen')
  await page.waitUntilDelivered()
  assert.deepEqual(page.counted, ['seen'])
}

/** Collects what the page logs and throws. */
const RECORD = `
  window.messages = []
  console.warn = (...parts) => messages.push(parts.join(' '))
  addEventListener('error', ({ message }) => messages.push(message))
  addEventListener('unhandledrejection', ({ reason }) => messages.push(String(reason)))`

describe('an ad', () => {
  testConcurrently({
    ...Object.fromEntries(
      Object.entries(CLOBBERING).map(([what, markup]) => [
        `counts on a page with ${what}`,
        async ({ open }) => assertCounts(await open(({ ad }) => markup + ad('seen'))),
      ]),
    ),

    async 'counts in a form whose fields are named like members of an element'({ open }) {
      await assertCounts(await open(({ ad }) => `<form>${INPUTS}${ad('seen')}</form>`))
    },

    async 'counts if it is such a form'({ open }) {
      await assertCounts(await open(({ ad }) => ad('seen', { tag: 'form', content: INPUTS })))
    },

    async 'counts if the script is evaluated, so that it has no URL'({ open }) {
      await assertCounts(
        await open(
          ({ ad, track }) => `${ad('seen')}<script>
            fetch(${JSON.stringify(/src="([^"]+)"/.exec(track.script())?.[1])})
              .then((response) => response.text())
              .then((text) => (0, eval)(text))
          </script>`,
          { hasScript: false },
        ),
      )
    },

    async 'counts if the script is inlined'({ open }) {
      await assertCounts(
        await open(
          ({ ad, track }) => `${ad('seen')}<script>
            fetch(${JSON.stringify(/src="([^"]+)"/.exec(track.script())?.[1])})
              .then((response) => response.text())
              .then((text) => {
                const script = document.createElement('script')
                script.textContent = text
                document.body.append(script)
              })
          </script>`,
          { hasScript: false },
        ),
      )
    },

    ...Object.fromEntries(
      Object.entries({
        'fetch is removed': 'delete window.fetch',
        'sendBeacon is removed': 'delete Navigator.prototype.sendBeacon',
        'sendBeacon throws':
          'Navigator.prototype.sendBeacon = () => { throw new Error("blocked") }',
        'onLine is removed': 'delete Navigator.prototype.onLine',
        'a library changes how arrays become JSON':
          'Array.prototype.toJSON = function () { return this.join() }',
      }).map(([what, code]) => [
        `counts if ${what}`,
        async ({ open }) =>
          assertCounts(await open(({ ad }) => `<script>${code}</script>${ad('seen')}`)),
      ]),
    ),

    ...Object.fromEntries(
      Object.entries({
        IntersectionObserver: 'delete window.IntersectionObserver',
        getComputedStyle: 'window.getComputedStyle = () => null',
        'fetch and sendBeacon': 'delete window.fetch; delete Navigator.prototype.sendBeacon',
      }).map(([what, code]) => [
        `is not counted without ${what}, and the console says so once`,
        async ({ open }) => {
          const page = await open(({ ad }) => `<script>${RECORD};${code}</script>${ad('unseen')}`)
          await page.tab.waitForFunction('messages.length > 0')
          await page.tab.waitForTimeout(1_500)
          const messages = await page.tab.evaluate<string[]>('messages')
          assert.equal(messages.length, 1, messages.join())
          assert.match(messages.join(), /^ad-impressions: ads may not be counted/)
          assert.deepEqual(page.counted, [])
        },
      ]),
    ),
  })
})
