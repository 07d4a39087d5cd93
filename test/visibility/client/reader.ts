import type { BrowserContext, Page } from 'playwright-core'
import type { Body, Publisher } from './publisher.js'

declare global {
  interface Window {
    adImpressions?: { flush(): void }
  }
}

const BRIEFLY_MS = 300

export interface Opening {
  /** Whether a report leaves as soon as an ad was seen, and not up to a second later. */
  readonly isHasty?: boolean
  readonly hasScript?: boolean
}

/** A page of the publisher's in a tab, and what the network was told of it. */
export class Reader {
  readonly tab: Page
  #path = ''
  readonly #publisher: Publisher

  readonly #body: Body
  readonly #opening: Opening

  private constructor(tab: Page, publisher: Publisher, body: Body, opening: Opening) {
    this.tab = tab
    this.#publisher = publisher
    this.#body = body
    this.#opening = opening
  }

  static async open(
    publisher: Publisher,
    context: BrowserContext,
    body: Body,
    opening: Opening = {},
  ): Promise<Reader> {
    const reader = new Reader(await context.newPage(), publisher, body, opening)
    await reader.load()
    return reader
  }

  get path(): string {
    return this.#path
  }

  /** Loads the page under an address of its own, with ads of its own. */
  async load(): Promise<void> {
    this.#path = this.#publisher.serve(this.#body, this.#opening)
    await this.tab.goto(`${this.#publisher.origin}${this.#path}`)
    if (this.#opening.isHasty ?? true) await this.makeHasty()
  }

  /** From now on a report leaves as soon as an ad was seen. */
  async makeHasty(): Promise<void> {
    await this.tab.evaluate(() => void setInterval(() => window.adImpressions?.flush(), 50))
  }

  get counted(): string[] {
    return this.#publisher.counted(this.path)
  }

  /** Resolves once the network was told of these ads. */
  async counts(...names: string[]): Promise<void> {
    await this.#publisher.counts(this.path, ...names)
  }

  /** Resolves once nothing is on its way to the network. */
  async settled(): Promise<void> {
    await this.#publisher.settled()
  }

  /**
   * Puts the ad on the page that waits there, and has the page change it before its second is over.
   * Where the machine stood still for that long, this says nothing, and it is tried with a new page.
   *
   * @param makeChange returns what is to be done, in the page
   * @returns when it was done at the earliest, by `performance.now()`
   */
  async showBriefly(name: string, makeChange: () => () => void): Promise<number> {
    for (let attempt = 0; attempt < 8; attempt += 1) {
      const change = await this.tab.evaluateHandle(makeChange)
      const beganAtMs = performance.now()
      const shownMs = await this.tab.evaluate(
        async ({ id, ms, change }) => {
          const shownAtMs = performance.now()
          const template = document.querySelector<HTMLTemplateElement>(`#${id}`)
          if (template) document.body.append(template.content.cloneNode(true))
          await new Promise((resolve) => setTimeout(resolve, ms))
          change()
          await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))
          return performance.now() - shownAtMs
        },
        { id: `${name}-later`, ms: BRIEFLY_MS, change },
      )
      if (shownMs < 1_000) return beganAtMs + BRIEFLY_MS
      await this.load()
    }
    throw new Error('the machine has no second to spare')
  }

  /**
   * Resolves once an ad has counted that comes into view now. Another that could have counted has
   * done so by then.
   */
  async outlasts(witness: string): Promise<void> {
    await this.add(witness)
    await this.counts(witness)
    await this.settled()
  }

  /**
   * Resolves once an ad on the page was in view for a second, before its report is due.
   *
   * @returns `false` if the machine stood still meanwhile, so that it cannot be told
   */
  async hasJustSeen(name: string): Promise<boolean> {
    return await this.tab.evaluate(async (id) => {
      const ad = document.getElementById(id)
      await new Promise((resolve) => ad && new IntersectionObserver(resolve).observe(ad))
      const beganAtMs = performance.now()
      let longestStallMs = 0
      for (let now = beganAtMs; now - beganAtMs < 1_150; ) {
        await new Promise((resolve) => setTimeout(resolve, 30))
        longestStallMs = Math.max(longestStallMs, performance.now() - now)
        now = performance.now()
      }
      return longestStallMs < 300
    }, name)
  }

  /** Puts an ad on the page that has been waiting in a template. */
  async add(name: string): Promise<void> {
    await this.tab.evaluate((id) => {
      const template = document.querySelector<HTMLTemplateElement>(`template#${id}`)
      if (template) document.body.append(template.content)
    }, `${name}-later`)
  }

  async scrollTo(name: string): Promise<void> {
    await this.tab.evaluate((id) => document.getElementById(id)?.scrollIntoView(), name)
  }
}

/** Markup that waits to be added to the page. */
export function later(name: string, markup: string): string {
  return `<template id="${name}-later">${markup}</template>`
}

/** In the upper right corner, whatever the page scrolls to. */
export const IN_THE_CORNER = 'position:fixed;top:0;right:0;'
