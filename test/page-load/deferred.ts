/** A promise that is resolved from outside, as by `Promise.withResolvers` in newer versions of Node. */
export interface Deferred {
  readonly promise: Promise<void>
  resolve(): void
}

export function createDeferred(): Deferred {
  let resolve = () => {}
  const promise = new Promise<void>((resolvePromise) => {
    resolve = resolvePromise
  })
  return { promise, resolve: () => resolve() }
}
