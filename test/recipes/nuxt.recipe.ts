import { navigate, STORY_AD } from './navigate.js'
import { PAGE, RECIPE_TIMEOUT_MS, Recipe } from './recipe.js'

describe('The recipe nuxt', function () {
  this.timeout(RECIPE_TIMEOUT_MS)

  it('counts what a person sees, also after navigation in the browser', async () => {
    await using recipe = await Recipe.start('nuxt')
    await recipe.requestPages()
    await navigate(recipe, 2, 2)
    await recipe.assertDelivered([...PAGE, ...PAGE, ...PAGE, ...PAGE, STORY_AD])
  })
})
