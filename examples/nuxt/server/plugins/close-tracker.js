export default defineNitroPlugin((nitroApp) => {
  nitroApp.hooks.hook('close', () => tracker.close()) // delivers pending impressions
})
