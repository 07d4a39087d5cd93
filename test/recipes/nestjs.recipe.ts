import { RECIPE_TIMEOUT_MS, Recipe } from './recipe.js'

describe('The recipe nestjs', function () {
  this.timeout(RECIPE_TIMEOUT_MS)

  for (const adapter of ['express', 'fastify']) {
    it(`counts what a page displays, once, with the adapter for ${adapter}`, async () => {
      await using recipe = await Recipe.start(`nestjs -- --adapter=${adapter}`)
      await recipe.requestPages()
      await recipe.assertCounted(2)
    })
  }
})
