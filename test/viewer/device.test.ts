import assert from 'node:assert/strict'
import type { IncomingHttpHeaders } from 'node:http'
import fc from 'fast-check'
import { readViewers, type SampledViewer } from '../../bench/viewers.js'
import { isDevice, readDevice } from '../../lib/viewer/device.js'
import {
  MAX_USER_AGENT_LENGTH,
  MAX_USER_AGENTS,
  readUserAgent,
  userAgentCache,
} from '../../lib/viewer/user-agent.js'
import { hostileHeaders } from '../request/hostile-headers.js'

const CHROME = 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/154.0.0.0'
const SAFARI = 'AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0'
const IPHONE = `Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) ${SAFARI} Mobile/15E148 Safari/604.1`
const WINDOWS = `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${CHROME} Safari/537.36`
const LINUX = `Mozilla/5.0 (X11; Linux x86_64) ${CHROME} Safari/537.36`
const ANDROID_PHONE = `Mozilla/5.0 (Linux; Android 10; K) ${CHROME} Mobile Safari/537.36`
const ANDROID_TABLET = `Mozilla/5.0 (Linux; Android 10; K) ${CHROME} Safari/537.36`
const WEBOS_TV = `Mozilla/5.0 (Web0S; Linux/SmartTV) ${CHROME} Safari/537.36 HbbTV/1.5.1 (+DRM; LGE; OLED55A16LA; WEBOS6.0)`

describe('device', () => {
  describe('on real traffic', () => {
    let viewers: SampledViewer[]
    before(() => {
      viewers = readViewers()
    })

    /** The share of page views that are correct, among those that `isIncluded` selects. */
    const computeShare = (
      isCorrect: (viewer: SampledViewer) => boolean,
      isIncluded: (viewer: SampledViewer) => boolean,
    ) => {
      let total = 0
      let correct = 0
      for (const viewer of viewers.filter(isIncluded)) {
        total += viewer.weight
        if (isCorrect(viewer)) correct += viewer.weight
      }
      return correct / total
    }
    const read = ({ userAgent }: SampledViewer) => readDevice({ 'user-agent': userAgent })

    it("is correct for 99 % of page views by the sample's label", () => {
      const share = computeShare(
        (viewer) => read(viewer) === viewer.labelled,
        () => true,
      )
      assert.ok(share >= 0.99, `${share}`)
    })

    it('is correct for 99 % of page views by the measured screen', () => {
      const share = computeShare(
        (viewer) => read(viewer) === viewer.measured,
        (viewer) => viewer.measured !== undefined,
      )
      assert.ok(share >= 0.99, `${share}`)
    })

    it('is correct for 80 % of tablets that do not identify as a computer', () => {
      const share = computeShare(
        (viewer) => read(viewer) === 'tablet',
        ({ measured, userAgent }) => measured === 'tablet' && !/Macintosh|X11/.test(userAgent),
      )
      assert.ok(share >= 0.8, `${share}`)
    })

    it('is known for every page view', () => {
      assert.equal(
        computeShare(
          (viewer) => read(viewer) !== undefined,
          () => true,
        ),
        1,
      )
    })
  })

  describe('from the User-Agent', () => {
    const examples: [name: string, userAgent: string, device: string | undefined][] = [
      ['an iPhone', IPHONE, 'mobile'],
      ['an Android phone', ANDROID_PHONE, 'mobile'],
      [
        'a phone with Firefox',
        'Mozilla/5.0 (Android 16; Mobile; rv:156.0) Gecko/156.0 Firefox/156.0',
        'mobile',
      ],
      ['a computer with Windows', WINDOWS, 'desktop'],
      [
        'a Mac',
        `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${SAFARI} Safari/605.1.15`,
        'desktop',
      ],
      ['a computer with Linux', LINUX, 'desktop'],
      [
        'a Chromebook',
        `Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${CHROME} Safari/537.36`,
        'desktop',
      ],
      [
        'an iPad that identifies as one',
        `Mozilla/5.0 (iPad; CPU OS 18_7 like Mac OS X) ${SAFARI} Mobile/15E148 Safari/604.1`,
        'tablet',
      ],
      ['an Android tablet, which does not say Mobile', ANDROID_TABLET, 'tablet'],
      [
        'a tablet by a maker of phones',
        `Mozilla/5.0 (Linux; Android 5.1.1; LG-V935 Build/LMY47V) ${CHROME} Safari/537.36`,
        'tablet',
      ],
      [
        'a tablet with Firefox',
        'Mozilla/5.0 (Android 16; Tablet; rv:156.0) Gecko/156.0 Firefox/156.0',
        'tablet',
      ],
      [
        'a Kindle Fire',
        `Mozilla/5.0 (Linux; Android 11; KFTUWI) ${CHROME} Safari/537.36`,
        'tablet',
      ],
      [
        'a Kindle Fire with Silk',
        'Mozilla/5.0 (Linux; Android 9; KFMAWI) AppleWebKit/537.36 (KHTML, like Gecko) Silk/108.4.6 like Chrome/108.0.5359.160 Safari/537.36',
        'tablet',
      ],
      [
        "Samsung's browser with the default settings of a Galaxy Tab",
        'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/30.0 Chrome/143.0.0.0 Safari/537.36',
        'tablet',
      ],
      ['a TV with webOS', WEBOS_TV, undefined],
      [
        'a TV with Tizen',
        'Mozilla/5.0 (SMART-TV; Linux; Tizen 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Version/5.0 TV Safari/537.36',
        undefined,
      ],
      [
        'an Android TV',
        `Mozilla/5.0 (Linux; Android 9; BRAVIA 4K UR2 Build/PTT1.190515.001.S104) ${CHROME} Safari/537.36`,
        undefined,
      ],
      [
        'a PlayStation',
        'Mozilla/5.0 (PlayStation; PlayStation 5/5.10) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/15.4 Safari/605.1.15',
        undefined,
      ],
      [
        'an Xbox',
        `Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox One) ${CHROME} Safari/537.36 Edge/44.18363.8131`,
        undefined,
      ],
      ['a script', 'curl/8.9.1', undefined],
      [
        'an app without a browser',
        'Dalvik/2.1.0 (Linux; U; Android 9; HT-705XS Build/P)',
        undefined,
      ],
      ['an empty User-Agent', '', undefined],
    ]
    for (const [name, userAgent, device] of examples) {
      it(`is ${device ?? 'undefined'} for ${name}`, () => {
        assert.equal(readDevice({ 'user-agent': userAgent }), device)
      })
    }

    it('is undefined without a User-Agent', () => {
      assert.equal(readDevice({}), undefined)
    })
  })

  describe('from client hints', () => {
    const readWithHints = (
      userAgent: string,
      mobile: string | undefined,
      platform?: string,
      factors?: string,
    ) => {
      const headers: IncomingHttpHeaders = { 'user-agent': userAgent }
      if (mobile !== undefined) headers['sec-ch-ua-mobile'] = mobile
      if (platform !== undefined) headers['sec-ch-ua-platform'] = platform
      if (factors !== undefined) headers['sec-ch-ua-form-factors'] = factors
      return readDevice(headers)
    }

    it('is the form factor, which has priority', () => {
      assert.equal(readWithHints(WINDOWS, '?0', '"Windows"', '"Tablet"'), 'tablet')
      assert.equal(readWithHints(ANDROID_TABLET, '?0', '"Android"', '"Desktop"'), 'desktop')
      assert.equal(readWithHints(ANDROID_TABLET, '?0', '"Android"', '"Mobile", "EInk"'), 'mobile')
    })

    it('is undefined for a car, a headset or a watch', () => {
      for (const factors of ['"Automotive"', '"Tablet", "Automotive"', '"XR"', '"Watch", "Mobile"'])
        assert.equal(readWithHints(ANDROID_TABLET, '?0', '"Android"', factors), undefined, factors)
    })

    it('is read from the next hint if the form factor says nothing about the size', () => {
      assert.equal(readWithHints(LINUX, '?0', '"Android"', '"EInk"'), 'tablet')
      assert.equal(readWithHints(LINUX, '?1', '"Android"', ''), 'mobile')
    })

    it('is mobile if the browser says mobile', () => {
      assert.equal(readWithHints(ANDROID_TABLET, '?1', '"Android"'), 'mobile')
      assert.equal(readWithHints(LINUX, '?1'), 'mobile')
    })

    it('is tablet for Android that is not mobile, also in desktop mode', () => {
      assert.equal(readWithHints(LINUX, '?0', '"Android"'), 'tablet')
    })

    it('is desktop for Windows, macOS and Chrome OS', () => {
      for (const platform of ['"Windows"', '"macOS"', '"Chrome OS"', '"Chromium OS"'])
        assert.equal(readWithHints('', '?0', platform), 'desktop', platform)
    })

    it('is read from the User-Agent if the platform is ambiguous', () => {
      assert.equal(readWithHints(ANDROID_TABLET, '?0', '"Unknown"'), 'tablet')
      assert.equal(readWithHints(LINUX, '?0', '"Linux"'), 'desktop')
      assert.equal(readWithHints(IPHONE, undefined, '"Windows"'), 'mobile')
    })

    it('is undefined for a TV, whatever mobile and platform say', () => {
      assert.equal(readWithHints(WEBOS_TV, '?1', '"Android"'), undefined)
      assert.equal(readWithHints(WEBOS_TV, '?0', '"Windows"'), undefined)
    })

    it('ignores hints that no browser sends', () => {
      for (const mobile of ['1', 'true', '?1?1', '?1, ?1', '', 'x'.repeat(100_000)])
        assert.equal(readWithHints(WINDOWS, mobile, '"Android"'), 'desktop', mobile.slice(0, 20))
      assert.equal(readWithHints(WINDOWS, '?0', '"Android"'.repeat(10_000)), 'desktop')
      assert.equal(
        readWithHints(WINDOWS, undefined, undefined, '"Tablet",'.repeat(10_000)),
        'desktop',
      )
    })
  })

  describe('from hostile headers', () => {
    it('is a valid device or undefined, and nothing throws', () => {
      const names = [
        'user-agent',
        'sec-ch-ua-mobile',
        'sec-ch-ua-platform',
        'sec-ch-ua-form-factors',
      ]
      const values = ['?0', '?1', '"Android"', '"Windows"', '"Tablet"', '"XR"', WINDOWS, WEBOS_TV]
      fc.assert(
        fc.property(hostileHeaders(names, values), (headers) => {
          const device = readDevice(headers)
          assert.ok(device === undefined || isDevice(device))
        }),
      )
    })

    it('is read from the start of a very long User-Agent', () => {
      assert.equal(readDevice({ 'user-agent': IPHONE + ' x'.repeat(50_000) }), 'mobile')
    })

    it('runs no regular expression on more than the part of a User-Agent that is read', () => {
      const longest = measureLongestInput(() =>
        readUserAgent(`${WINDOWS} ${'droid '.repeat(20_000)}`),
      )
      assert.ok(longest > 0 && longest <= MAX_USER_AGENT_LENGTH, `${longest}`)
    })

    it('has no catastrophic running time', () => {
      const measureMs = (userAgent: string) =>
        Math.min(
          ...Array.from({ length: 5 }, () => {
            userAgentCache.clear()
            const start = performance.now()
            readUserAgent(userAgent)
            return performance.now() - start
          }),
        )
      // The slowest inputs found by a search over combinations of the parser's own words. An
      // expression with catastrophic backtracking would take millions of times as long.
      const slowest = ['droid ', '; droid ', 'android 1', 'droid a; ', ' bui', 'a_b ; a', 'cubot ']
      const usualMs = measureMs(ANDROID_PHONE)
      for (const part of slowest) {
        const factor = measureMs(part.repeat(20_000)) / usualMs
        assert.ok(factor < 1_000, `${part}: ${factor}`)
      }
    })

    it('is cached for a bounded number of User-Agents', () => {
      userAgentCache.clear()
      for (let i = 0; i < MAX_USER_AGENTS + 500; i++) readUserAgent(`${i} of a flood`)
      assert.equal(userAgentCache.size, MAX_USER_AGENTS)
    })

    it('is not cached for a User-Agent longer than the part that is read', () => {
      userAgentCache.clear()
      readUserAgent('a'.repeat(MAX_USER_AGENT_LENGTH))
      assert.equal(userAgentCache.size, 1)
      readUserAgent('a'.repeat(MAX_USER_AGENT_LENGTH + 1))
      readUserAgent('a'.repeat(100_000))
      assert.equal(userAgentCache.size, 1)
    })

    it('is the same object when cached', () => {
      const first = readUserAgent('Mozilla/5.0 (Windows NT 10.0) once')
      assert.equal(readUserAgent('Mozilla/5.0 (Windows NT 10.0) once'), first)
    })
  })
})

/** The length of the longest string that a regular expression is run on during `act`. */
function measureLongestInput(act: () => void): number {
  const { exec } = RegExp.prototype
  let longest = 0
  RegExp.prototype.exec = function (this: RegExp, text: string) {
    longest = Math.max(longest, text.length)
    return exec.call(this, text)
  }
  try {
    act()
  } finally {
    RegExp.prototype.exec = exec
  }
  return longest
}
