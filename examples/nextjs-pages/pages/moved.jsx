import { products } from '../../ads.js'
import { getTracker } from '../tracker.js'

export async function getServerSideProps({ req, res }) {
  const trackImpression = getTracker().pageLoad(req, res)
  trackImpression(products[0]) // not displayed, so it does not count
  return { redirect: { destination: '/', permanent: false } }
}

export default function Moved() {}
