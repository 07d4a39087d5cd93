import node from '@astrojs/node'
import { defineConfig } from 'astro/config'

export default defineConfig({
  output: 'server',
  adapter: node({ mode: 'middleware' }),
  prefetch: false, // where Astro prefetches with fetch(), as in Safari, pages that nobody opens would count
})
