import type { Browser } from 'playwright-core'
import { launchChromium } from '../../chromium.js'
import { CHROME_USER_AGENT, FRAMEWORKS, type FrameworkName } from '../../request/ad-site.js'
import { type Body, Publisher } from './publisher.js'
import { type Opening, Reader } from './reader.js'
import { playInTurn, Run } from './run.js'

/** One publisher's pages, in windows that are all visible at once. */
export interface Scene {
  readonly publisher: Publisher
  open(body: Body, opening?: Opening): Promise<Reader>
  /** In a browser's context of its own, with a network connection of its own. */
  openApart(body: Body, opening?: Opening): Promise<Reader>
}

export type Scenes = Readonly<Record<string, (scene: Scene) => Promise<void>>>

export const VIEWPORT = { width: 1_000, height: 700 } as const

/** As many as a small machine has at once without dropping frames. */
const AT_ONCE = 12
/** A scene may have to wait for others, on a busy machine. */
const LONGEST_MS = 90_000

/**
 * Declares a test of each scene with each framework. They mostly wait for seconds to pass, so that
 * they run beside each other, and each test waits for its own.
 */
export function testBesideEachOther(scenes: Scenes): void {
  const runs = new Map<string, Run>()
  let browser: Browser
  const publishers: Publisher[] = []

  before(async () => {
    browser = await launchChromium({ args: [`--user-agent=${CHROME_USER_AGENT}`] })
    for (const framework of FRAMEWORKS) {
      const publisher = await Publisher.start(framework)
      const newContext = () => browser.newContext({ viewport: VIEWPORT })
      const context = await newContext()
      publishers.push(publisher)
      const open: Scene['open'] = (body, opening) => Reader.open(publisher, context, body, opening)
      const openApart: Scene['open'] = async (body, opening) =>
        Reader.open(publisher, await newContext(), body, opening)
      for (const [name, play] of Object.entries(scenes)) {
        runs.set(key(framework, name), new Run(() => play({ publisher, open, openApart })))
      }
    }
    playInTurn([...runs.values()], AT_ONCE)
  })
  after(async () => {
    await browser?.close()
    for (const publisher of publishers) await publisher[Symbol.asyncDispose]()
  })

  for (const framework of FRAMEWORKS) {
    describe(`from ${framework}`, () => {
      for (const name of Object.keys(scenes)) {
        it(name, () => runs.get(key(framework, name))?.end).timeout(LONGEST_MS)
      }
    })
  }
}

const key = (framework: FrameworkName, name: string) => `${framework}: ${name}`
