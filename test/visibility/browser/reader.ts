import type { BrowserContext, Page } from 'playwright-core'
import type { Body, Publisher } from './publisher.js'

declare global {
  interface Window {
    adImpressions?: { flush(): void }
  }
}

export interface Opening {
  /** Whether a report leaves as soon as an ad was seen, and not up to a second later. */
  readonly isHasty?: boolean
  readonly hasScript?: boolean
}

/** A page of the publisher's in a tab, and what the network was told of it. */
export class Reader {
  readonly tab: Page
  readonly path: string
  readonly #publisher: Publisher

  private constructor(tab: Page, path: string, publisher: Publisher) {
    this.tab = tab
    this.path = path
    this.#publisher = publisher
  }

  static async open(
    publisher: Publisher,
    context: BrowserContext,
    body: Body,
    { isHasty = true, hasScript = true }: Opening = {},
  ): Promise<Reader> {
    const path = publisher.serve(body, { hasScript })
    const reader = new Reader(await context.newPage(), path, publisher)
    await reader.tab.goto(`${publisher.origin}${path}`)
    if (isHasty) await reader.makeHasty()
    return reader
  }

  /** From now on a report leaves as soon as an ad was seen. */
  async makeHasty(): Promise<void> {
    await this.tab.evaluate(() => void setInterval(() => window.adImpressions?.flush(), 20))
  }

  get counted(): string[] {
    return this.#publisher.counted(this.path)
  }

  /** Resolves once the network was told of these ads. */
  async counts(...names: string[]): Promise<void> {
    while (!names.every((name) => this.counted.includes(name))) await this.#publisher.tellsOneMore()
  }

  /**
   * Resolves once an ad has counted that comes into view now. Another that could have counted has
   * done so by then.
   */
  async outlasts(witness: string): Promise<void> {
    await this.add(witness)
    await this.counts(witness)
    await this.#publisher.settled()
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
