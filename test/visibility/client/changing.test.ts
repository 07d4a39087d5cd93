import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { testConcurrently } from './concurrent-scenarios.js'
import { FIXED_IN_CORNER, template } from './test-page.js'

const HTMX = readFileSync(createRequire(import.meta.url).resolve('htmx.org/dist/htmx.min.js'))

describe('an ad on a page that changes', () => {
  testConcurrently({
    async 'counts a full second after it was added'({ open }) {
      const page = await open(
        ({ ad }) => `<main></main>${template('inserted', ad('inserted'))}${ad('witness')}`,
      )
      await page.waitUntilCounted('witness')
      const addedAtMs = performance.now()
      await page.tab.evaluate(() => {
        const [main, template] = [
          document.querySelector('main'),
          document.querySelector('template'),
        ]
        if (main && template) main.innerHTML = template.innerHTML
      })
      await page.waitUntilCounted('inserted')
      assert.ok(performance.now() - addedAtMs >= 1_000)
    },

    async 'counts when htmx inserts it, and when htmx replaces it with another'({ open, site }) {
      const second = site.serve(({ ad }) => ad('second'), { hasScript: false })
      const first = site.serve(
        ({ ad }) =>
          `<section id="slot">${ad('first')}
             <button hx-get="${second}" hx-target="#slot" hx-swap="outerHTML">next</button>
           </section>`,
        { hasScript: false },
      )
      const htmx = site.serve(
        ({ res }) => {
          res.setHeader('content-type', 'text/javascript')
          return HTMX.toString()
        },
        { hasScript: false },
      )
      const page = await open(
        () => `<script src="${htmx}"></script><p hx-get="${first}" hx-trigger="load">…</p>`,
      )
      await site.waitUntilCounted(first, 'first')
      await page.tab.click('button')
      await site.waitUntilCounted(second, 'second')
    },

    async 'that is replaced before its second is over does not count, and its successor does'({
      open,
    }) {
      const page = await open(
        ({ ad }) => template('slot', ad('first')) + template('successor', ad('successor')),
      )
      const replacedAtMs = await page.insertThenChange('slot', () => () => {
        const successor = document.querySelector<HTMLTemplateElement>('#successor-template')
        if (successor) document.querySelector('#first')?.replaceWith(successor.content)
      })
      await page.waitUntilCounted('successor')
      assert.ok(performance.now() - replacedAtMs >= 1_000)
      await page.waitUntilDelivered()
      assert.deepEqual(page.counted, ['successor'])
    },

    async 'counts at the place to which it is moved'({ open }) {
      const page = await open(
        ({ ad }) => `<div style="position:absolute;top:-900px">${ad('moved')}</div>
          <main></main>${ad('witness')}`,
      )
      await page.waitUntilCounted('witness')
      assert.deepEqual(page.counted, ['witness'])
      const movedAtMs = performance.now()
      await page.tab.evaluate(() => {
        const ad = document.querySelector('#moved')
        if (ad) document.querySelector('main')?.append(ad)
      })
      await page.waitUntilCounted('moved')
      assert.ok(performance.now() - movedAtMs >= 1_000)
    },

    async 'whose attribute changes is another ad, which needs a full second'({ open }) {
      const page = await open(
        ({ ad }) => template('slot', ad('first')) + template('successor', ad('successor')),
      )
      const changedAtMs = await page.insertThenChange('slot', () => () => {
        const successor = document.querySelector<HTMLTemplateElement>('#successor-template')
        const token = successor?.content
          .querySelector('#successor')
          ?.getAttribute('data-ad-impression')
        document.querySelector('#first')?.setAttribute('data-ad-impression', token ?? '')
      })
      await page.waitUntilCounted('successor')
      assert.ok(performance.now() - changedAtMs >= 1_000)
      await page.waitUntilDelivered()
      assert.deepEqual(page.counted, ['successor'])
    },

    async 'counts once, however often and whenever it is cloned'({ open, site }) {
      const page = await open(
        ({ ad }) => ad('cloned', { style: 'height:80px' }) + template('witness', ad('witness')),
      )
      const copy = () =>
        page.tab.evaluate(() => {
          const ad = document.querySelector('#cloned')
          for (let copies = 0; copies < 3; copies += 1) ad?.after(ad.cloneNode(true))
        })
      await copy()
      await page.waitUntilCounted('cloned')
      await copy()
      await page.waitForWitness('witness')
      // It is not even reported twice: the outcome would be `duplicate`.
      assert.deepEqual(site.outcomes(page.path), ['cloned delivered', 'witness delivered'])
    },

    async 'counts in a carousel once its slide has not moved for a second'({ open, site }) {
      const page = await open(
        ({ ad }) => `<div style="width:300px;overflow:hidden">
          <div class="rail" style="display:flex;width:1500px">
            ${ad('one')}${ad('two')}${ad('three')}
          </div></div>`,
      )
      // As endless carousels do: a copy of the last slide at the front, of the first at the end.
      await page.tab.evaluate(() => {
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
        page.tab.evaluate((at) => {
          const rail = document.querySelector<HTMLElement>('.rail')
          if (rail) rail.style.translate = `${-300 * at}px`
        }, slide)
      await page.waitUntilCounted('one')
      assert.deepEqual(page.counted, ['one'])
      await slideTo(3)
      await page.waitUntilCounted('three')
      assert.deepEqual(page.counted, ['one', 'three'])
      await slideTo(4)
      await slideTo(2)
      await page.waitUntilCounted('two')
      await page.waitUntilDelivered()
      assert.deepEqual(site.outcomes(page.path), [
        'one delivered',
        'three delivered',
        'two delivered',
      ])
    },

    async 'counts however its template language prints the attribute'({ open }) {
      const escapeHtml = (text: string) => text.replaceAll('"', '&quot;').replaceAll('=', '&#x3D;')
      const style = 'height:80px'
      const page = await open(
        ({ ad }) =>
          ad('as-it-is', { style }) +
          ad('as-a-value', { style, write: (attribute) => `data-ad-impression="${attribute}"` }) +
          ad('escaped-value', {
            style,
            write: (attribute) => `data-ad-impression="${escapeHtml(attribute)}"`,
          }) +
          ad('value-in-quotes', {
            style,
            write: (attribute) =>
              `data-ad-impression="${escapeHtml(attribute.replace(/=(.*)/, '="$1"'))}"`,
          }) +
          // XHTML closes an image with a slash.
          ad('closed', { style, tag: 'img', write: (attribute) => `alt="" ${attribute}/` }) +
          template('witness', ad('witness', { style: FIXED_IN_CORNER })),
      )
      await page.waitForWitness('witness')
      await page.waitUntilCounted(
        'as-it-is',
        'as-a-value',
        'escaped-value',
        'value-in-quotes',
        'closed',
      )
    },
  })
})
