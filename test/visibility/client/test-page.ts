import type { BrowserContext, Page } from 'playwright-core'
import type { ClientTestSite, FailReport, RenderPage } from './client-test-site.js'

declare global {
  interface Window {
    adImpressions?: { flush(): void }
  }
}

/** Well below the second that an ad needs. */
const SHORT_MS = 300

export interface TestPageOptions {
  /** Sends a report as soon as an ad was viewable, not up to a second later. @default true */
  readonly flushesContinuously?: boolean
  /** @default true */
  readonly hasScript?: boolean
  /** Lets reports of the page fail. @default none */
  readonly failReport?: FailReport
}

/** A page of the site, open in a browser tab. */
export class TestPage {
  readonly tab: Page
  readonly #site: ClientTestSite
  readonly #render: RenderPage
  readonly #options: TestPageOptions
  #path = ''
  #reports: readonly string[] = []

  private constructor(
    tab: Page,
    site: ClientTestSite,
    render: RenderPage,
    options: TestPageOptions,
  ) {
    this.tab = tab
    this.#site = site
    this.#render = render
    this.#options = options
  }

  static async open(
    site: ClientTestSite,
    context: BrowserContext,
    render: RenderPage,
    options: TestPageOptions = {},
  ): Promise<TestPage> {
    const page = new TestPage(await context.newPage(), site, render, options)
    await page.load()
    return page
  }

  get path(): string {
    return this.#path
  }

  /** The `Sec-Fetch-Mode` of each report since the page was loaded. */
  get reports(): readonly string[] {
    return this.#reports
  }

  /** Loads the page under a new path, so that its ads have never counted. */
  async load(): Promise<void> {
    this.#path = this.#site.serve(this.#render, this.#options)
    // Before the page is loaded: on a slow machine it may report before goto() resolves.
    this.#reports = this.#site.recordReports(this.#path, this.#options.failReport)
    await this.tab.goto(`${this.#site.origin}${this.#path}`)
    if (this.#options.flushesContinuously ?? true) await this.flushContinuously()
  }

  /** From now on, sends a report as soon as an ad was viewable. */
  async flushContinuously(): Promise<void> {
    await this.tab.evaluate(() => void setInterval(() => window.adImpressions?.flush(), 50))
  }

  /** The names of the page's ads that the network has counted, in alphabetical order. */
  get counted(): string[] {
    return this.#site.counted(this.path)
  }

  /** Resolves once the network has counted these ads. */
  async waitUntilCounted(...names: string[]): Promise<void> {
    await this.#site.waitUntilCounted(this.path, ...names)
  }

  /** Resolves once no impression is pending. */
  async waitUntilDelivered(): Promise<void> {
    await this.#site.waitUntilDelivered()
  }

  /**
   * Inserts a template into the page and, less than a second later, makes a change. If the machine
   * was too slow for that, it tries again with a new page.
   *
   * @param makeChange returns, in the page, the function that makes the change
   * @returns the earliest time at which the change was made, by `performance.now()`
   */
  async insertThenChange(name: string, makeChange: () => () => void): Promise<number> {
    for (let attempt = 0; attempt < 8; attempt += 1) {
      const change = await this.tab.evaluateHandle(makeChange)
      const beganAtMs = performance.now()
      const shownMs = await this.tab.evaluate(
        async ({ id, ms, change }) => {
          const insertedAtMs = performance.now()
          const template = document.querySelector<HTMLTemplateElement>(`#${id}`)
          if (template) document.body.append(template.content.cloneNode(true))
          await new Promise((resolve) => setTimeout(resolve, ms))
          change()
          await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))
          return performance.now() - insertedAtMs
        },
        { id: `${name}-template`, ms: SHORT_MS, change },
      )
      if (shownMs < 1_000) return beganAtMs + SHORT_MS
      await this.load()
    }
    throw new Error('the machine is too slow: every attempt took more than a second')
  }

  /**
   * Shows a witness, which is an ad that is inserted after all others, and waits until it has
   * counted. By then every other ad that meets the rule has counted as well.
   */
  async waitForWitness(name: string): Promise<void> {
    await this.insert(name)
    await this.waitUntilCounted(name)
    await this.waitUntilDelivered()
  }

  /**
   * Resolves once an ad has been viewable for a second, before its report is due.
   *
   * @returns `false` if the page's thread was blocked meanwhile, so that this is not certain
   */
  async waitUntilViewable(name: string): Promise<boolean> {
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

  /** Moves the content of a template into the page. */
  async insert(name: string): Promise<void> {
    await this.tab.evaluate((id) => {
      const template = document.querySelector<HTMLTemplateElement>(`template#${id}`)
      if (template) document.body.append(template.content)
    }, `${name}-template`)
  }

  async scrollTo(name: string): Promise<void> {
    await this.tab.evaluate((id) => document.getElementById(id)?.scrollIntoView(), name)
  }
}

/** Renders markup as a template, which is not displayed until the test inserts it. */
export function template(name: string, markup: string): string {
  return `<template id="${name}-template">${markup}</template>`
}

/** Keeps an ad in the upper right corner, wherever the page is scrolled to. */
export const FIXED_IN_CORNER = 'position:fixed;top:0;right:0;'
