import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { IN_THE_CORNER, later } from './reader.js'
import { testBesideEachOther } from './scenes.js'

const HTMX = readFileSync(createRequire(import.meta.url).resolve('htmx.org/dist/htmx.min.js'))

describe('an ad on a page that changes', () => {
  testBesideEachOther({
    async 'counts a full second after it was added'({ open }) {
      const reader = await open(
        ({ ad }) => `<main></main>${later('inserted', ad('inserted'))}${ad('witness')}`,
      )
      await reader.counts('witness')
      const addedAtMs = performance.now()
      await reader.tab.evaluate(() => {
        const [main, template] = [
          document.querySelector('main'),
          document.querySelector('template'),
        ]
        if (main && template) main.innerHTML = template.innerHTML
      })
      await reader.counts('inserted')
      assert.ok(performance.now() - addedAtMs >= 1_000)
    },

    async 'counts when htmx has put it there, and in place of another'({ open, publisher }) {
      const second = publisher.serve(({ ad }) => ad('second'), { hasScript: false })
      const first = publisher.serve(
        ({ ad }) =>
          `<section id="slot">${ad('first')}
             <button hx-get="${second}" hx-target="#slot" hx-swap="outerHTML">next</button>
           </section>`,
        { hasScript: false },
      )
      const htmx = publisher.serve(
        ({ res }) => {
          res.setHeader('content-type', 'text/javascript')
          return HTMX.toString()
        },
        { hasScript: false },
      )
      const reader = await open(
        () => `<script src="${htmx}"></script><p hx-get="${first}" hx-trigger="load">…</p>`,
      )
      await publisher.counts(first, 'first')
      await reader.tab.click('button')
      await publisher.counts(second, 'second')
    },

    async 'that was replaced before its second is over does not count, and its heir does'({
      open,
    }) {
      const reader = await open(({ ad }) => later('slot', ad('first')) + later('heir', ad('heir')))
      const replacedAtMs = await reader.showBriefly('slot', () => () => {
        const heir = document.querySelector<HTMLTemplateElement>('#heir-later')
        if (heir) document.querySelector('#first')?.replaceWith(heir.content)
      })
      await reader.counts('heir')
      assert.ok(performance.now() - replacedAtMs >= 1_000)
      await reader.settled()
      assert.deepEqual(reader.counted, ['heir'])
    },

    async 'counts where it was moved to'({ open }) {
      const reader = await open(
        ({ ad }) => `<div style="position:absolute;top:-900px">${ad('moved')}</div>
          <main></main>${ad('witness')}`,
      )
      await reader.counts('witness')
      assert.deepEqual(reader.counted, ['witness'])
      const movedAtMs = performance.now()
      await reader.tab.evaluate(() => {
        const ad = document.querySelector('#moved')
        if (ad) document.querySelector('main')?.append(ad)
      })
      await reader.counts('moved')
      assert.ok(performance.now() - movedAtMs >= 1_000)
    },

    async 'whose attribute is changed begins its second anew, as another ad'({ open }) {
      const reader = await open(({ ad }) => later('slot', ad('first')) + later('heir', ad('heir')))
      const changedAtMs = await reader.showBriefly('slot', () => () => {
        const heir = document.querySelector<HTMLTemplateElement>('#heir-later')
        const token = heir?.content.querySelector('#heir')?.getAttribute('data-ad-impression')
        document.querySelector('#first')?.setAttribute('data-ad-impression', token ?? '')
      })
      await reader.counts('heir')
      assert.ok(performance.now() - changedAtMs >= 1_000)
      await reader.settled()
      assert.deepEqual(reader.counted, ['heir'])
    },

    async 'counts once however often it is cloned, and not again later'({ open, publisher }) {
      const reader = await open(
        ({ ad }) => ad('cloned', { style: 'height:80px' }) + later('witness', ad('witness')),
      )
      const copy = () =>
        reader.tab.evaluate(() => {
          const ad = document.querySelector('#cloned')
          for (let copies = 0; copies < 3; copies += 1) ad?.after(ad.cloneNode(true))
        })
      await copy()
      await reader.counts('cloned')
      await copy()
      await reader.outlasts('witness')
      // Not even reported twice: of those the outcome would be `duplicate`.
      assert.deepEqual(publisher.outcomes(reader.path), ['cloned delivered', 'witness delivered'])
    },

    async 'counts in a carousel once its slide has stood still for a second'({ open, publisher }) {
      const reader = await open(
        ({ ad }) => `<div style="width:300px;overflow:hidden">
          <div class="rail" style="display:flex;width:1500px">
            ${ad('one')}${ad('two')}${ad('three')}
          </div></div>`,
      )
      // As carousels do that go round: copies of the first and the last at either end.
      await reader.tab.evaluate(() => {
        const rail = document.querySelector<HTMLElement>('.rail')
        const [first, last] = [rail?.firstElementChild, rail?.lastElementChild]
        if (!rail || !first || !last) return
        const copies = [last.cloneNode(true), first.cloneNode(true)]
        rail.prepend(copies[0] ?? '')
        rail.append(copies[1] ?? '')
        rail.style.translate = '-300px'
        rail.getBoundingClientRect()
        rail.style.transition = 'translate 200ms'
      })
      const slideTo = (slide: number) =>
        reader.tab.evaluate((at) => {
          const rail = document.querySelector<HTMLElement>('.rail')
          if (rail) rail.style.translate = `${-300 * at}px`
        }, slide)
      await reader.counts('one')
      assert.deepEqual(reader.counted, ['one'])
      await slideTo(3)
      await reader.counts('three')
      assert.deepEqual(reader.counted, ['one', 'three'])
      await slideTo(4)
      await slideTo(2)
      await reader.counts('two')
      await reader.settled()
      assert.deepEqual(publisher.outcomes(reader.path), [
        'one delivered',
        'three delivered',
        'two delivered',
      ])
    },

    async 'counts whatever its template language makes of the attribute'({ open }) {
      const escaped = (text: string) => text.replaceAll('"', '&quot;').replaceAll('=', '&#x3D;')
      const style = 'height:80px'
      const reader = await open(
        ({ ad }) =>
          ad('as-it-is', { style }) +
          ad('as-a-value', { style, write: (made) => `data-ad-impression="${made}"` }) +
          ad('escaped-value', { style, write: (made) => `data-ad-impression="${escaped(made)}"` }) +
          ad('value-in-quotes', {
            style,
            write: (made) => `data-ad-impression="${escaped(made.replace(/=(.*)/, '="$1"'))}"`,
          }) +
          // An image, as XHTML would close it.
          ad('closed', { style, tag: 'img', write: (made) => `alt="" ${made}/` }) +
          later('witness', ad('witness', { style: IN_THE_CORNER })),
      )
      await reader.outlasts('witness')
      await reader.counts('as-it-is', 'as-a-value', 'escaped-value', 'value-in-quotes', 'closed')
    },
  })
})
