import assert from 'node:assert/strict'
import { type ClientScenarios, testConcurrently } from './concurrent-scenarios.js'
import { FIXED_IN_CORNER, template } from './test-page.js'

const WAYS_TO_HIDE = {
  display: 'display:none',
  visibility: 'visibility:hidden',
  opacity: 'opacity:0',
  'content-visibility': 'content-visibility:hidden',
}

/** Hides ads with a class, and shows them by removing it. */
const hidingScenarios = Object.entries(WAYS_TO_HIDE).map(
  ([property, style]): ClientScenarios => ({
    async [`by ${property} counts a full second after it is shown, not before`]({ open }) {
      const page = await open(
        ({ ad }) =>
          `<style>.hidden-by-class { ${style} }</style>` +
          ad('itself', { extra: 'class="hidden-by-class"' }) +
          `<div class="hidden-by-class"><div>${ad('ancestor')}</div></div>` +
          template('witness', ad('witness', { style: FIXED_IN_CORNER })),
      )
      await page.waitForWitness('witness')
      assert.deepEqual(page.counted, ['witness'])
      const shownAtMs = performance.now()
      await page.tab.evaluate(() => {
        for (const element of Array.from(document.querySelectorAll('.hidden-by-class')))
          element.classList.remove('hidden-by-class')
      })
      await page.waitUntilCounted('ancestor')
      assert.ok(performance.now() - shownAtMs >= 1_000)
      await page.waitUntilCounted('itself')
      assert.deepEqual(page.counted, ['ancestor', 'itself', 'witness'])
    },
  }),
)

describe('an ad that is hidden', () => {
  testConcurrently({
    ...Object.fromEntries(hidingScenarios.flatMap((scenarios) => Object.entries(scenarios))),

    async 'before its second is over does not count'({ open }) {
      const hidden = Object.entries(WAYS_TO_HIDE).map(
        ([name, style]) => [name, `data-hide="${style}"`] as const,
      )
      const page = await open(
        ({ ad }) =>
          template(
            'slot',
            hidden.map(([name, extra]) => ad(name, { style: 'height:90px', extra })).join(''),
          ) + template('witness', ad('witness', { style: FIXED_IN_CORNER })),
      )
      await page.insertThenChange('slot', () => () => {
        for (const ad of Array.from(document.querySelectorAll<HTMLElement>('[data-hide]'))) {
          ad.style.cssText += `;${ad.dataset.hide}`
        }
      })
      await page.waitForWitness('witness')
      assert.deepEqual(page.counted, ['witness'])
    },

    async 'in a closed element counts once the element is open'({ open }) {
      const page = await open(
        ({ ad }) =>
          `<details><summary>more</summary>${ad('details', { style: 'height:100px' })}</details>
           <dialog>${ad('dialog', { style: 'height:100px' })}</dialog>
           <div popover>${ad('popover', { style: 'height:100px' })}</div>
           <div hidden="until-found">${ad('until-found', { style: 'height:100px' })}</div>` +
          template('witness', ad('witness', { style: FIXED_IN_CORNER })),
      )
      await page.waitForWitness('witness')
      assert.deepEqual(page.counted, ['witness'])
      await page.tab.evaluate(() => {
        document.querySelector('details')?.setAttribute('open', '')
        document.querySelector('dialog')?.show()
        document.querySelector<HTMLElement>('[popover]')?.showPopover()
        document.querySelector('[hidden]')?.removeAttribute('hidden')
      })
      await page.waitUntilCounted('details', 'dialog', 'popover', 'until-found')
    },
  })
})
