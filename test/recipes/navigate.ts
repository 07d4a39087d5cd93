import assert from 'node:assert/strict'
import { launchChromium } from '../chromium.js'
import { BROWSER_HEADERS } from '../examples/npm-program.js'
import type { Recipe } from './recipe.js'

/** What `navigate` counts, besides the page that it displays twice. */
export const STORY_AD = '2041 story'

/**
 * Displays the page in a browser, follows its link to the story until the ad there was visible, and
 * follows the link back.
 *
 * @param pages how many displays of the page were counted before
 * @param documents how many documents the browser loads: 1 if the framework navigates itself
 */
export async function navigate(recipe: Recipe, pages: number, documents = 1): Promise<void> {
  const browser = await launchChromium()
  try {
    const page = await browser.newPage({ userAgent: BROWSER_HEADERS['user-agent'] })
    const paths: string[] = []
    page.on('request', (request) => {
      if (request.isNavigationRequest()) paths.push(new URL(request.url()).pathname)
    })
    await page.goto(recipe.url, { waitUntil: 'networkidle' })
    await recipe.waitForDelivered(pages + 1, 2 * pages + 2)

    await page.locator('a[href="/story"]').click()
    await page.getByRole('heading', { name: 'A story' }).waitFor()
    await recipe.waitForDelivered(pages + 2, 2 * pages + 2)

    await page.locator('a[href="/"]').click()
    await page.getByRole('heading', { name: 'The Daily Example' }).waitFor()
    await recipe.waitForDelivered(pages + 3, 2 * pages + 4)
    assert.deepEqual(paths, Array(documents).fill('/'))
  } finally {
    await browser.close()
  }
}
