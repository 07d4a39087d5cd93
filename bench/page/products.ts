import { fileURLToPath } from 'node:url'

/** Templates are not compiled: they stay in the source folder, beside the compiled one. */
export const VIEWS_FOLDER = fileURLToPath(new URL('../../bench/page/views', import.meta.url))

/** The content of the page, which makes it about 4 kB. */
export const PRODUCTS = Array.from({ length: 50 }, (_, index) => ({
  id: 1_000 + index,
  name: `Organic granola bars no. ${index + 1} & more`,
  price: (3 + index / 7).toFixed(2),
}))
