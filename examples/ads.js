/** A campaign, as returned by ENS's Fetch Campaigns endpoint. */
export const banner = {
  id: 2041,
  url: 'https://example.com/night-train',
  text: 'Sleep on the train, wake up in the mountains',
  image: drawBanner('Sleep on the train, wake up in the mountains', '#1d3557', '#f1faee'),
}

/** Offers of Closient campaigns. */
export const products = [
  {
    campaignId: 'WHKWEbMrgK9m3m7GJRDvU2',
    offerId: 'XyRDvTgzTJgV5VjdDDMxZc',
    url: 'https://example.com/granola-bars',
    text: 'Organic granola bars, box of twelve',
  },
  {
    campaignId: '5KZeS32Mr4tAXFsi353HqK',
    offerId: 'n76jfmweYbCSxH2iRUnsk6',
    url: 'https://example.com/rain-jacket',
    text: 'Waxed rain jacket, made to be mended',
  },
]

function drawBanner(text, background, ink) {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="728" height="90">
    <rect width="728" height="90" rx="6" fill="${background}"/>
    <text x="32" y="54" font-family="system-ui" font-size="24" fill="${ink}">${text}</text>
  </svg>`
  return `data:image/svg+xml,${encodeURIComponent(svg)}`
}
