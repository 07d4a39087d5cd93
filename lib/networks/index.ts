// The networks that ship with the package, one line each. A file exports one value, the factory
// named like the network, and its types. The package's exports, the environment variables, the input
// types of `trackImpression` and the contract tests all follow from these lines. The contract tests
// need sample inputs: test/networks/samples.ts.
export * from './closient.js'
export * from './ens.js'
