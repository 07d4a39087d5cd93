import { redirect } from 'react-router'
import { products } from '../../../ads.js'

export function loader({ context: { trackImpression } }) {
  trackImpression(products[0]) // not displayed, so it does not count
  throw redirect('/')
}

export default function Moved() {}
