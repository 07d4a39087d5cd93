import assert from 'node:assert/strict'
import { testConcurrently, VIEWPORT } from './concurrent-scenarios.js'
import { FIXED_IN_CORNER, template } from './test-page.js'

/** Style for a box of which `percent` is above the fold, `column` pixels from the left. */
function placeAtFold(percent: number, column: number, width: number, height: number): string {
  const top = VIEWPORT.height - (height * percent) / 100
  return `position:absolute;top:${top}px;left:${column}px;width:${width}px;height:${height}px;`
}

describe('an ad, by how much of it is in view', () => {
  testConcurrently({
    async 'counts when 50 % of it were above the fold for a second, but not when 49 % were'({
      open,
    }) {
      const page = await open(
        ({ ad }) =>
          ad('forty-nine', { style: placeAtFold(49, 0, 90, 100) }) +
          ad('fifty', { style: placeAtFold(50, 100, 90, 100) }) +
          ad('fifty-one', { style: placeAtFold(51, 200, 90, 100) }) +
          template('witness', ad('witness', { style: FIXED_IN_CORNER })),
      )
      await page.waitUntilCounted('fifty', 'fifty-one')
      await page.waitForWitness('witness')
      assert.deepEqual(page.counted, ['fifty', 'fifty-one', 'witness'])
    },

    async 'counts by its visible area, whatever clips it'({ open }) {
      const box = 'width:100px;height:100px;'
      const page = await open(
        ({ ad }) =>
          ad('left-edge-49', { style: `${box}position:absolute;top:0;left:-51px` }) +
          ad('left-edge-51', { style: `${box}position:absolute;top:120px;left:-49px` }) +
          // 70 % by 70 % is 49 %, and 72 % by 72 % is 51.8 %.
          ad('corner-49', { style: `${box}position:absolute;top:-30px;left:930px` }) +
          ad('corner-51', { style: `${box}position:absolute;top:628px;left:928px` }) +
          `<div style="position:absolute;top:300px;width:300px;height:49px;overflow:hidden">
             ${ad('box-49', { style: box })}</div>
           <div style="position:absolute;top:400px;width:300px;height:51px;overflow:hidden">
             ${ad('box-51', { style: box })}</div>` +
          template('witness', ad('witness', { style: `${FIXED_IN_CORNER}top:300px;` })),
      )
      await page.waitUntilCounted('left-edge-51', 'corner-51', 'box-51')
      await page.waitForWitness('witness')
      assert.deepEqual(page.counted, ['box-51', 'corner-51', 'left-edge-51', 'witness'])
    },

    async 'of 242,500 pixels counts when 30 % of it were above the fold, but not when 29 % were'({
      open,
    }) {
      const page = await open(
        ({ ad }) =>
          ad('billboard-29', { style: placeAtFold(29, 0, 970, 250) }) +
          ad('billboard-30', { style: placeAtFold(30, 10, 970, 250) }) +
          ad('billboard-31', { style: placeAtFold(31, 20, 970, 250) }) +
          // One pixel narrower, so it is not a large ad.
          ad('smaller-49', { style: placeAtFold(49, 30, 969, 250) }) +
          ad('half-page-29', { style: placeAtFold(29, 0, 500, 500) }) +
          ad('half-page-31', { style: placeAtFold(31, 0, 500, 500) }) +
          // Taller than the window: 700 of 1,800 pixels are 39 %.
          ad('poster', { style: 'position:absolute;top:0;width:1000px;height:1800px' }) +
          template('witness', ad('witness', { style: FIXED_IN_CORNER })),
      )
      const large = ['billboard-30', 'billboard-31', 'half-page-31', 'poster']
      await page.waitUntilCounted(...large)
      await page.waitForWitness('witness')
      assert.deepEqual(page.counted, [...large, 'witness'])
    },

    async 'below the fold counts a full second after it is scrolled into view'({ open }) {
      const page = await open(
        ({ ad }) =>
          `${ad('above')}<div style="height:2000px"></div>${ad('below')}` +
          `<div style="height:2000px"></div>`,
      )
      await page.waitUntilCounted('above')
      assert.deepEqual(page.counted, ['above'])
      const scrolledAtMs = performance.now()
      await page.scrollTo('below')
      await page.waitUntilCounted('below')
      assert.ok(performance.now() - scrolledAtMs >= 1_000)
      assert.deepEqual(page.counted, ['above', 'below'])
    },

    async 'that is only scrolled past does not count'({ open }) {
      const page = await open(
        ({ ad }) =>
          template('slot', `<div>${ad('passed')}<div style="height:2000px"></div></div>`) +
          template('destination', ad('destination')),
      )
      await page.insertThenChange('slot', () => () => scrollTo(0, 1_500))
      await page.insert('destination')
      await page.scrollTo('destination')
      await page.waitUntilCounted('destination')
      await page.waitUntilDelivered()
      assert.deepEqual(page.counted, ['destination'])
    },

    async 'that comes and goes does not add up its time in view'({ open }) {
      const page = await open(
        ({ ad }) =>
          template('slot', ad('comes-and-goes', { style: 'position:absolute;top:0;left:0' })) +
          template('witness', ad('witness', { style: FIXED_IN_CORNER })),
      )
      const goneAtMs = await page.insertThenChange('slot', () => () => {
        const ad = document.getElementById('comes-and-goes')
        if (!ad) return
        ad.style.top = '-1000px'
        // Out of view for two frames.
        requestAnimationFrame(() =>
          requestAnimationFrame(() => {
            ad.style.top = '0'
          }),
        )
      })
      await page.waitUntilCounted('comes-and-goes')
      assert.ok(performance.now() - goneAtMs >= 1_000)
    },

    async 'without a size counts once its image gives it one'({ open }) {
      const page = await open(
        ({ ad }) =>
          ad('empty', { style: 'height:0' }) +
          ad('thin', { style: 'width:0' }) +
          ad('picture', {
            style: 'height:auto',
            content: '<img id="late" style="display:block" alt="">',
          }) +
          template('witness', ad('witness', { style: FIXED_IN_CORNER })),
      )
      await page.waitForWitness('witness')
      assert.deepEqual(page.counted, ['witness'])
      const loadedAtMs = performance.now()
      await page.tab.evaluate(() => {
        const image = document.querySelector<HTMLImageElement>('#late')
        const picture = '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="250"/>'
        if (image) image.src = `data:image/svg+xml,${encodeURIComponent(picture)}`
      })
      await page.waitUntilCounted('picture')
      assert.ok(performance.now() - loadedAtMs >= 1_000)
      assert.deepEqual(page.counted, ['picture', 'witness'])
    },

    async 'that is an image counts a full second after the image has loaded'({ open, site }) {
      let show: (() => void) | undefined
      site.intercept(({ url }, res) => {
        if (url !== '/slow.svg') return false
        show = () => {
          res.writeHead(200, { 'content-type': 'image/svg+xml' })
          res.end('<svg xmlns="http://www.w3.org/2000/svg" width="300" height="250"/>')
        }
        return true
      })
      // Inserted later, because the page's own load event waits for its images.
      const page = await open(
        ({ ad }) =>
          template(
            'slot',
            ad('slow', { tag: 'img', extra: 'src="/slow.svg" alt=""', content: '' }),
          ) + template('witness', ad('witness', { style: FIXED_IN_CORNER })),
      )
      await page.insert('slot')
      await page.waitForWitness('witness')
      assert.deepEqual(page.counted, ['witness'])
      const shownAtMs = performance.now()
      show?.()
      await page.waitUntilCounted('slow')
      assert.ok(performance.now() - shownAtMs >= 1_000)
    },

    async 'that collapses before its second is over does not count'({ open }) {
      const page = await open(
        ({ ad }) =>
          template('slot', ad('collapses')) +
          template('witness', ad('witness', { style: FIXED_IN_CORNER })),
      )
      await page.insertThenChange('slot', () => () => {
        document.getElementById('collapses')?.style.setProperty('height', '0')
      })
      await page.waitForWitness('witness')
      assert.deepEqual(page.counted, ['witness'])
    },

    async 'counts by the size that it has while it is in view'({ open }) {
      const page = await open(
        ({ ad }) =>
          // 40 % of each is in view: enough of the large one, for as long as it is large.
          template(
            'slot',
            ad('shrinks', { style: placeAtFold(40, 0, 500, 500) }) +
              ad('grows', { style: placeAtFold(40, 500, 490, 490) }),
          ) + template('witness', ad('witness', { style: FIXED_IN_CORNER })),
      )
      const changedAtMs = await page.insertThenChange('slot', () => () => {
        const changes = [
          { id: 'shrinks', top: 504, size: 490 },
          { id: 'grows', top: 500, size: 500 },
        ]
        for (const { id, top, size } of changes) {
          const ad = document.getElementById(id)
          if (ad) ad.style.cssText += `;top:${top}px;width:${size}px;height:${size}px`
        }
      })
      await page.waitUntilCounted('grows')
      assert.ok(performance.now() - changedAtMs >= 1_000)
      await page.waitForWitness('witness')
      assert.deepEqual(page.counted, ['grows', 'witness'])
    },

    async 'that is a link counts by the image in it, not by its line of text'({ open }) {
      const image = (height: number) =>
        `<img alt="" style="height:${height}px;width:300px;background:teal" src="data:,">`
      const link = { tag: 'a', style: 'width:auto;height:auto' }
      const page = await open(
        ({ ad }) =>
          // The line of text is in view, but only 20 % of the image that stands on it.
          `<div style="position:absolute;top:-200px">${ad('tail', { ...link, content: image(250) })}</div>
           <div style="position:absolute;top:100px">${ad('whole', { ...link, content: image(250) })}</div>
           <div style="position:absolute;top:400px">${ad('text', link)}</div>
           <div style="position:absolute;top:500px;left:0">
             ${ad('head', { ...link, content: image(330) })}</div>` +
          template('witness', ad('witness', { style: FIXED_IN_CORNER })),
      )
      await page.waitUntilCounted('text', 'whole', 'head')
      await page.waitForWitness('witness')
      assert.deepEqual(page.counted, ['head', 'text', 'whole', 'witness'])
    },
  })
})
