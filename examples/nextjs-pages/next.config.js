import path from 'node:path'

/** @type {import('next').NextConfig} */
export default {
  output: 'standalone',
  // The examples share ../ads.js. An app of its own needs neither.
  outputFileTracingRoot: path.join(import.meta.dirname, '../..'),
  turbopack: { root: path.join(import.meta.dirname, '../..') },
}
