import assert from 'node:assert/strict'
import { RECIPE_TIMEOUT_MS, Recipe } from './recipe.js'

describe('The recipe aws-lambda', function () {
  this.timeout(RECIPE_TIMEOUT_MS)

  it('has delivered what a page displays once its handler returns', async () => {
    await using recipe = await Recipe.start('aws-lambda')
    await recipe.request('/')
    assert.equal(recipe.listDelivered().length, 3)
    await recipe.requestPages()
    await recipe.assertCounted(3)
  })
})
