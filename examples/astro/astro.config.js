import node from '@astrojs/node'
import { defineConfig } from 'astro/config'

export default defineConfig({
  output: 'server',
  adapter: node({ mode: 'middleware' }),
  prefetch: false, // in Safari, a prefetch looks like a display, and would count
})
