import assert from 'node:assert/strict'
import { IN_THE_CORNER, later } from './reader.js'
import { testBesideEachOther, VIEWPORT } from './scenes.js'

/** So much of a box of this height is above the fold, in its own column. */
function atTheFold(percent: number, column: number, width: number, height: number): string {
  const top = VIEWPORT.height - (height * percent) / 100
  return `position:absolute;top:${top}px;left:${column}px;width:${width}px;height:${height}px;`
}

describe('an ad, by what of it is in view', () => {
  testBesideEachOther({
    async 'counts when half of it was above the fold for a second, and not with 49 %'({ open }) {
      const reader = await open(
        ({ ad }) =>
          ad('forty-nine', { style: atTheFold(49, 0, 90, 100) }) +
          ad('fifty', { style: atTheFold(50, 100, 90, 100) }) +
          ad('fifty-one', { style: atTheFold(51, 200, 90, 100) }) +
          later('witness', ad('witness', { style: IN_THE_CORNER })),
      )
      await reader.counts('fifty', 'fifty-one')
      await reader.outlasts('witness')
      assert.deepEqual(reader.counted, ['fifty', 'fifty-one', 'witness'])
    },

    async 'counts by its area, whatever cuts it off'({ open }) {
      const box = 'width:100px;height:100px;'
      const reader = await open(
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
          later('witness', ad('witness', { style: `${IN_THE_CORNER}top:300px;` })),
      )
      await reader.counts('left-edge-51', 'corner-51', 'box-51')
      await reader.outlasts('witness')
      assert.deepEqual(reader.counted, ['box-51', 'corner-51', 'left-edge-51', 'witness'])
    },

    async 'of 242,500 pixels counts when 30 % was above the fold, and not with 29 %'({ open }) {
      const reader = await open(
        ({ ad }) =>
          ad('billboard-29', { style: atTheFold(29, 0, 970, 250) }) +
          ad('billboard-30', { style: atTheFold(30, 10, 970, 250) }) +
          ad('billboard-31', { style: atTheFold(31, 20, 970, 250) }) +
          // One pixel narrower, it is no large ad.
          ad('smaller-49', { style: atTheFold(49, 30, 969, 250) }) +
          ad('half-page-29', { style: atTheFold(29, 0, 500, 500) }) +
          ad('half-page-31', { style: atTheFold(31, 0, 500, 500) }) +
          // Larger than the window: of 1,800 pixels 700 are 39 %.
          ad('poster', { style: 'position:absolute;top:0;width:1000px;height:1800px' }) +
          later('witness', ad('witness', { style: IN_THE_CORNER })),
      )
      const large = ['billboard-30', 'billboard-31', 'half-page-31', 'poster']
      await reader.counts(...large)
      await reader.outlasts('witness')
      assert.deepEqual(reader.counted, [...large, 'witness'])
    },

    async 'below the fold counts only once it was scrolled to, and a full second later'({ open }) {
      const reader = await open(
        ({ ad }) =>
          `${ad('above')}<div style="height:2000px"></div>${ad('below')}` +
          `<div style="height:2000px"></div>`,
      )
      await reader.counts('above')
      assert.deepEqual(reader.counted, ['above'])
      const scrolledAtMs = performance.now()
      await reader.scrollTo('below')
      await reader.counts('below')
      assert.ok(performance.now() - scrolledAtMs >= 1_000)
      assert.deepEqual(reader.counted, ['above', 'below'])
    },

    async 'that was flicked past does not count'({ open }) {
      const reader = await open(
        ({ ad }) =>
          later('slot', `<div>${ad('flicked')}<div style="height:2000px"></div></div>`) +
          later('destination', ad('destination')),
      )
      await reader.showBriefly('slot', () => () => scrollTo(0, 1_500))
      await reader.add('destination')
      await reader.scrollTo('destination')
      await reader.counts('destination')
      await reader.settled()
      assert.deepEqual(reader.counted, ['destination'])
    },

    async 'that comes and goes never collects its second in parts'({ open }) {
      const reader = await open(
        ({ ad }) =>
          later('slot', ad('comes-and-goes', { style: 'position:absolute;top:0;left:0' })) +
          later('witness', ad('witness', { style: IN_THE_CORNER })),
      )
      const goneAtMs = await reader.showBriefly('slot', () => () => {
        const ad = document.getElementById('comes-and-goes')
        if (!ad) return
        ad.style.top = '-1000px'
        // Away for two frames.
        requestAnimationFrame(() =>
          requestAnimationFrame(() => {
            ad.style.top = '0'
          }),
        )
      })
      await reader.counts('comes-and-goes')
      assert.ok(performance.now() - goneAtMs >= 1_000)
    },

    async 'that has no size yet counts once its picture has given it one'({ open }) {
      const reader = await open(
        ({ ad }) =>
          ad('empty', { style: 'height:0' }) +
          ad('thin', { style: 'width:0' }) +
          ad('picture', {
            style: 'height:auto',
            content: '<img id="late" style="display:block" alt="">',
          }) +
          later('witness', ad('witness', { style: IN_THE_CORNER })),
      )
      await reader.outlasts('witness')
      assert.deepEqual(reader.counted, ['witness'])
      const cameAtMs = performance.now()
      await reader.tab.evaluate(() => {
        const image = document.querySelector<HTMLImageElement>('#late')
        const picture = '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="250"/>'
        if (image) image.src = `data:image/svg+xml,${encodeURIComponent(picture)}`
      })
      await reader.counts('picture')
      assert.ok(performance.now() - cameAtMs >= 1_000)
      assert.deepEqual(reader.counted, ['picture', 'witness'])
    },

    async 'that is a picture counts a full second after this has come'({ open, publisher }) {
      let show: (() => void) | undefined
      publisher.guard(({ url }, res) => {
        if (url !== '/slow.svg') return false
        show = () => {
          res.writeHead(200, { 'content-type': 'image/svg+xml' })
          res.end('<svg xmlns="http://www.w3.org/2000/svg" width="300" height="250"/>')
        }
        return true
      })
      // Added later, for the page is loaded once its pictures are.
      const reader = await open(
        ({ ad }) =>
          later('slot', ad('slow', { tag: 'img', extra: 'src="/slow.svg" alt=""', content: '' })) +
          later('witness', ad('witness', { style: IN_THE_CORNER })),
      )
      await reader.add('slot')
      await reader.outlasts('witness')
      assert.deepEqual(reader.counted, ['witness'])
      const shownAtMs = performance.now()
      show?.()
      await reader.counts('slow')
      assert.ok(performance.now() - shownAtMs >= 1_000)
    },

    async 'that collapses before its second is over does not count'({ open }) {
      const reader = await open(
        ({ ad }) =>
          later('slot', ad('collapses')) +
          later('witness', ad('witness', { style: IN_THE_CORNER })),
      )
      await reader.showBriefly('slot', () => () => {
        document.getElementById('collapses')?.style.setProperty('height', '0')
      })
      await reader.outlasts('witness')
      assert.deepEqual(reader.counted, ['witness'])
    },

    async 'counts by the size that it has while it is in view'({ open }) {
      const reader = await open(
        ({ ad }) =>
          // 40 % of each is in view: enough of the large one, for as long as it is large.
          later(
            'slot',
            ad('shrinks', { style: atTheFold(40, 0, 500, 500) }) +
              ad('grows', { style: atTheFold(40, 500, 490, 490) }),
          ) + later('witness', ad('witness', { style: IN_THE_CORNER })),
      )
      const changedAtMs = await reader.showBriefly('slot', () => () => {
        const changes = [
          { id: 'shrinks', top: 504, size: 490 },
          { id: 'grows', top: 500, size: 500 },
        ]
        for (const { id, top, size } of changes) {
          const ad = document.getElementById(id)
          if (ad) ad.style.cssText += `;top:${top}px;width:${size}px;height:${size}px`
        }
      })
      await reader.counts('grows')
      assert.ok(performance.now() - changedAtMs >= 1_000)
      await reader.outlasts('witness')
      assert.deepEqual(reader.counted, ['grows', 'witness'])
    },

    async 'that is a link counts by the picture in it, and not by its line of text'({ open }) {
      const image = (height: number) =>
        `<img alt="" style="height:${height}px;width:300px;background:teal" src="data:,">`
      const link = { tag: 'a', style: 'width:auto;height:auto' }
      const reader = await open(
        ({ ad }) =>
          // The line that the picture stands on is in view, and 20 % of the picture.
          `<div style="position:absolute;top:-200px">${ad('tail', { ...link, content: image(250) })}</div>
           <div style="position:absolute;top:100px">${ad('whole', { ...link, content: image(250) })}</div>
           <div style="position:absolute;top:400px">${ad('text', link)}</div>
           <div style="position:absolute;top:500px;left:0">
             ${ad('head', { ...link, content: image(330) })}</div>` +
          later('witness', ad('witness', { style: IN_THE_CORNER })),
      )
      await reader.counts('text', 'whole', 'head')
      await reader.outlasts('witness')
      assert.deepEqual(reader.counted, ['head', 'text', 'whole', 'witness'])
    },
  })
})
