/** ENS campaigns, as returned by its Fetch Campaigns endpoint. `view` is the template of the ad. */
export const adverts = {
  sleeper: { id: 2041, view: 'sleeper', advertiser: 'Norrland Sleeper' },
  wind: { id: 2057, view: 'wind', advertiser: 'Kestrel Energy' },
  language: { id: 2063, view: 'language', advertiser: 'Parla' },
}

const FATHOM = { campaignId: 'WHKWEbMrgK9m3m7GJRDvU2', brand: 'Fell & Fathom' }
const CRUMB = { campaignId: '5KZeS32Mr4tAXFsi353HqK', brand: 'Hearth & Crumb' }
const PLOT = { campaignId: '9KxpMSTeDMf9dfPYntSfQQ', brand: 'The Long Plot' }

/** Offers of Closient campaigns. `words` are what a search matches. */
const offers = [
  {
    ...CRUMB,
    offerId: 'mNgGXrV4DeAGgiZYhNpbdD',
    name: 'Organic granola bars, box of twelve',
    price: '£14',
    icon: 'granola',
    words: 'bread bakery oven breakfast food organic granola bars',
  },
  {
    ...FATHOM,
    offerId: 'L8LLUagLzPhU8JVj3zbvQ3',
    name: 'Waxed rain jacket, made to be mended',
    price: '£128',
    icon: 'jacket',
    words: 'rain weather ferry harbour coat storm jacket',
  },
  {
    ...PLOT,
    offerId: 'f3tfFZRMsp2GjpjArzG5H7',
    name: 'Seed box for twelve months of salad',
    price: '£22',
    icon: 'seeds',
    words: 'garden allotment plants spring food seeds',
  },
  {
    ...FATHOM,
    offerId: 'QzH7CNPCRnCL96fNRToL5y',
    name: 'Harbour lantern, storm-proof, USB charged',
    price: '£46',
    icon: 'lantern',
    words: 'harbour light ferry night lighthouse storm lantern',
  },
  {
    ...CRUMB,
    offerId: 'iFAXyLjQknY6pRK5x2Wucp',
    name: 'Sourdough starter with a cloth and a crock',
    price: '£19',
    icon: 'crock',
    words: 'bread bakery oven food sourdough',
  },
  {
    ...PLOT,
    offerId: 'bNEnCSgsrihpWhExMaup8f',
    name: 'Hand fork and trowel, forged in one piece',
    price: '£34',
    icon: 'fork',
    words: 'garden allotment tools library plants spring',
  },
]

/** The offers that match the query, best match first. All offers if none matches. */
export function findOffers(query) {
  const words = query.toLowerCase().match(/\w{3,}/g) ?? []
  const ranked = offers.map((offer) => {
    const text = `${offer.name} ${offer.brand} ${offer.words}`.toLowerCase()
    return { offer, rank: words.filter((word) => text.includes(word)).length }
  })
  const matching = ranked.filter(({ rank }) => rank > 0)
  return (matching.length > 0 ? matching : ranked)
    .sort((a, b) => b.rank - a.rank)
    .map(({ offer }) => offer)
}
