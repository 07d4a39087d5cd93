/** A worker of `node:cluster` that tells the primary how many processes it assumes. */

import { ens } from '../../../lib/networks/ens.js'
import { resolveOptions } from '../../../lib/options.js'

const networks = [ens({ apiKey: 'k' })]
const given = process.env.GIVEN_PROCESSES
const delivery = given === undefined ? {} : { processes: Number(given) }
process.send?.(resolveOptions({ networks, delivery }).delivery.processes)
