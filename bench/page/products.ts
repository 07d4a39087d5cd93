import { fileURLToPath } from 'node:url'

/** As the compiled bench stands beside the source. */
export const VIEWS = fileURLToPath(new URL('../../bench/page/views', import.meta.url))

/** What the page shows: with these it is about 4 kB. */
export const PRODUCTS = Array.from({ length: 50 }, (_, place) => ({
  id: 1_000 + place,
  name: `Organic granola bars no. ${place + 1} & more`,
  price: (3 + place / 7).toFixed(2),
}))
