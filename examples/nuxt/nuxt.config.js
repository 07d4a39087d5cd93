export default defineNuxtConfig({
  compatibilityDate: '2026-11-01',
  app: {
    head: {
      htmlAttrs: { lang: 'en' },
      title: 'The Daily Example',
      // The first page of a visit loads the client script, which serves all later pages.
      script: [{ src: '/_visible/client.js', async: true }],
    },
  },
})
