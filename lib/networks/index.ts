import { closient } from './closient.js'
import { ens } from './ens.js'

/** The networks that ship with the package, each made by its factory. */
export const builtInNetworks = { ens, closient }
