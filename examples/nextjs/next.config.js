import path from 'node:path'

/** @type {import('next').NextConfig} */
export default {
  // The examples share ../ads.js. An app of its own does not need this.
  turbopack: { root: path.join(import.meta.dirname, '../..') },
}
