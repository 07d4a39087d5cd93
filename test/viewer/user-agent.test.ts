import assert from 'node:assert/strict'
import { readUserAgent } from '../../lib/viewer/user-agent.js'

const KIT = 'AppleWebKit/605.1.15 (KHTML, like Gecko)'
const CHROME = 'AppleWebKit/537.36 (KHTML, like Gecko)'

const EXAMPLES: readonly (readonly [device: string, name: string, userAgent: string])[] = [
  [
    'tablet',
    'Chrome on an iPad',
    `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${KIT} CriOS/155 Version/11.1.1 Safari/605.1.15`,
  ],
  [
    'tablet',
    'Firefox on an iPad',
    `Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15) ${KIT} FxiOS/145.0 Safari/605.1.15`,
  ],
  [
    'tablet',
    'Edge on an iPad',
    `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${KIT} EdgiOS/150.0 Version/18.0 Safari/605.1.15`,
  ],
  [
    'tablet',
    'the Google app on an iPad',
    `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${KIT} GSA/380.0 Safari/604.1`,
  ],
  [
    'mobile',
    'Chrome on an iPhone',
    `Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) ${KIT} CriOS/155 Mobile/15E148 Safari/604.1`,
  ],
  [
    'desktop',
    'Safari on a Mac',
    `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${KIT} Version/26.0 Safari/605.1.15`,
  ],
  [
    'tablet',
    'Silk on a Fire tablet, desktop sites',
    `Mozilla/5.0 (X11; Linux x86_64) ${CHROME} Silk/140.1 like Chrome/140.0 Safari/537.36`,
  ],
  [
    'tablet',
    'Silk of 2012',
    'Mozilla/5.0 (Macintosh; U; Intel Mac OS X 10_6_3; en-us; Silk/1.0.22) AppleWebKit/533.16 Version/5.0 Safari/533.16',
  ],
  [
    'other',
    'Silk on a Fire TV',
    `Mozilla/5.0 (Linux; Android 9; AFTKA) ${CHROME} Silk/140 like Chrome/140.0 Safari/537.36`,
  ],
  [
    'mobile',
    'Opera Mini on Android',
    'Opera/9.80 (Android; Opera Mini/36.2/119.132; U; id) Presto/2.12.423 Version/12.16',
  ],
  [
    'mobile',
    'Opera Mini on J2ME',
    'Opera/9.80 (J2ME/MIDP; Opera Mini/4.2/28.3590; U; en) Presto/2.8.119 Version/11.10',
  ],
  [
    'tablet',
    'Opera Mini on an iPad',
    'Opera/9.80 (iPad; Opera Mini/7.0.5/28.3590; U; en) Presto/2.8.119 Version/11.10',
  ],
  [
    'mobile',
    'Opera Mobi',
    'Opera/9.80 (Android 2.3.3; Linux; Opera Mobi/ADR-1111101157; U; en) Presto/2.9.201 Version/11.50',
  ],
  [
    'mobile',
    'UCWEB',
    'UCWEB/2.0 (MIDP-2.0; U; Adr 4.0.4; en-US; ZTE_U795) U2/1.0.0 UCBrowser/10.7.6 U2/1.0.0 Mobile',
  ],
  [
    'tablet',
    'a Huawei tablet called BTV',
    `Mozilla/5.0 (Linux; Android 7.0; BTV-DL09) ${CHROME} Chrome/119.0 Safari/537.36`,
  ],
  [
    'tablet',
    'a Nook called BNTV',
    `Mozilla/5.0 (Linux; Android 6.0.1; BNTV450) ${CHROME} Chrome/61.0 Safari/537.36`,
  ],
  [
    'mobile',
    'a Galaxy Note II',
    `Mozilla/5.0 (Linux; Android 4.4.2; GT-N7105 Build/KOT49H) ${CHROME} Chrome/50.0 Mobile Safari/537.36`,
  ],
  ['unknown', 'no device', 'porto'],
]

describe('readUserAgent().device', () => {
  for (const [device, name, userAgent] of EXAMPLES) {
    it(`is ${device} for ${name}`, () => {
      assert.equal(readUserAgent(userAgent).device, device)
    })
  }
})
