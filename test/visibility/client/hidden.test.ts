import assert from 'node:assert/strict'
import { IN_THE_CORNER, later } from './reader.js'
import { type Scenes, testBesideEachOther } from './scenes.js'

const WAYS_TO_HIDE = {
  display: 'display:none',
  visibility: 'visibility:hidden',
  opacity: 'opacity:0',
  'content-visibility': 'content-visibility:hidden',
}

/** What hides an ad goes with the class `veiled`. */
const hiding = Object.entries(WAYS_TO_HIDE).map(
  ([property, style]): Scenes => ({
    async [`by ${property} counts a full second after it is shown, and not before`]({ open }) {
      const reader = await open(
        ({ ad }) =>
          `<style>.veiled { ${style} }</style>` +
          ad('itself', { extra: 'class="veiled"' }) +
          `<div class="veiled"><div>${ad('ancestor')}</div></div>` +
          later('witness', ad('witness', { style: IN_THE_CORNER })),
      )
      await reader.outlasts('witness')
      assert.deepEqual(reader.counted, ['witness'])
      const shownAtMs = performance.now()
      await reader.tab.evaluate(() => {
        for (const veiled of Array.from(document.querySelectorAll('.veiled')))
          veiled.classList.remove('veiled')
      })
      await reader.counts('ancestor')
      assert.ok(performance.now() - shownAtMs >= 1_000)
      await reader.counts('itself')
      assert.deepEqual(reader.counted, ['ancestor', 'itself', 'witness'])
    },
  }),
)

describe('an ad that is hidden', () => {
  testBesideEachOther({
    ...Object.fromEntries(hiding.flatMap((scenes) => Object.entries(scenes))),

    async 'before its second is over does not count'({ open }) {
      const hidden = Object.entries(WAYS_TO_HIDE).map(
        ([name, style]) => [name, `data-hide="${style}"`] as const,
      )
      const reader = await open(
        ({ ad }) =>
          later(
            'slot',
            hidden.map(([name, extra]) => ad(name, { style: 'height:90px', extra })).join(''),
          ) + later('witness', ad('witness', { style: IN_THE_CORNER })),
      )
      await reader.showBriefly('slot', () => () => {
        for (const ad of Array.from(document.querySelectorAll<HTMLElement>('[data-hide]'))) {
          ad.style.cssText += `;${ad.dataset.hide}`
        }
      })
      await reader.outlasts('witness')
      assert.deepEqual(reader.counted, ['witness'])
    },

    async 'in what is closed counts once that is open'({ open }) {
      const reader = await open(
        ({ ad }) =>
          `<details><summary>more</summary>${ad('details', { style: 'height:100px' })}</details>
           <dialog>${ad('dialog', { style: 'height:100px' })}</dialog>
           <div popover>${ad('popover', { style: 'height:100px' })}</div>
           <div hidden="until-found">${ad('until-found', { style: 'height:100px' })}</div>` +
          later('witness', ad('witness', { style: IN_THE_CORNER })),
      )
      await reader.outlasts('witness')
      assert.deepEqual(reader.counted, ['witness'])
      await reader.tab.evaluate(() => {
        document.querySelector('details')?.setAttribute('open', '')
        document.querySelector('dialog')?.show()
        document.querySelector<HTMLElement>('[popover]')?.showPopover()
        document.querySelector('[hidden]')?.removeAttribute('hidden')
      })
      await reader.counts('details', 'dialog', 'popover', 'until-found')
    },
  })
})
