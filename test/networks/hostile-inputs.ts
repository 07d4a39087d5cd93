/** A proxy that throws itself, whatever is done with it. */
export function hostileProxy(target: object = {}): object {
  const fail = () => {
    throw proxy
  }
  const traps = Object.getOwnPropertyNames(Reflect).map((trap) => [trap, fail])
  const proxy: object = new Proxy(target, Object.fromEntries(traps))
  return proxy
}

export function revokedProxy(target: object = {}): object {
  const { proxy, revoke } = Proxy.revocable(target, {})
  revoke()
  return proxy
}

const valid = { campaignId: 1, placement: 'header_banner' }

function withGetter(name: string, get: () => unknown): object {
  return Object.defineProperty({ ...valid }, name, { get, enumerable: true })
}

function createCycle(): object {
  const ad: Record<string, unknown> = { ...valid }
  ad.campaignId = ad
  ad.placement = [ad]
  return ad
}

const TEN_MEGABYTES = 'x'.repeat(10 * 1024 * 1024)

/** Inputs that no generator produces, by title. `track` is the page's `trackImpression`. */
export const HOSTILE_INPUTS: Readonly<Record<string, (track: () => unknown) => unknown>> = {
  'a proxy that throws itself': () => hostileProxy(),
  'a function proxy that throws itself': () => hostileProxy(() => {}),
  'a proxy with fields that throws itself': () => hostileProxy({ ...valid }),
  'a revoked proxy': () => revokedProxy(),
  'a revoked function proxy': () => revokedProxy(() => {}),
  'a revoked proxy as campaign': () => ({ ...valid, campaignId: revokedProxy([]) }),
  'a hostile proxy as placement': () => ({ ...valid, placement: hostileProxy() }),
  'a hostile proxy as network': () => ({ ...valid, network: hostileProxy() }),
  'a hostile proxy as prototype': () => Object.create(hostileProxy()),
  'a proxy that refuses to list its fields': () =>
    new Proxy(
      { ...valid, campaignId: 2 ** 40 },
      {
        ownKeys() {
          throw hostileProxy()
        },
      },
    ),
  'a getter that throws a proxy': () =>
    withGetter('placement', () => {
      throw hostileProxy()
    }),
  'a getter that throws undefined': () =>
    withGetter('campaignId', () => {
      throw undefined
    }),
  'a getter that throws an error whose message throws': () =>
    withGetter('network', () => {
      throw Object.defineProperty(new Error('x'), 'message', {
        get() {
          throw hostileProxy()
        },
      })
    }),
  'a getter that changes its value': () => {
    let reads = 0
    return withGetter('campaignId', () => {
      reads += 1
      return reads === 1 ? '' : 99
    })
  },
  'a getter that calls trackImpression': (track) =>
    withGetter('placement', () => {
      track()
      return ''
    }),
  'a getter that overflows the stack': () =>
    withGetter('placement', function overflow(): unknown {
      return overflow()
    }),
  'a cyclic object': createCycle,
  'an object that pollutes prototypes': () =>
    JSON.parse('{"__proto__":{"campaignId":1},"constructor":{"prototype":{"polluted":1}}}'),
  'a campaign that pollutes prototypes': () => ({
    ...valid,
    campaignId: JSON.parse('{"__proto__":{"x":1}}'),
  }),
  'Object.prototype': () => Object.prototype,
  'a string of 10 MB': () => TEN_MEGABYTES,
  'a placement of 10 MB': () => ({ ...valid, placement: TEN_MEGABYTES }),
  'a campaign of 10 MB': () => ({ campaignId: TEN_MEGABYTES }),
  'a network of 10 MB': () => ({ ...valid, network: TEN_MEGABYTES }),
  'a field name of 10 MB': () => ({ [TEN_MEGABYTES]: 1 }),
  'an invalid date': () => new Date(Number.NaN),
  'a class': () => class Ad {},
  'a class instance': () => new (class Ad extends Map {})(),
  'boxed values': () => Object.assign(new String('ad'), { campaignId: Object(1) }),
  'values that convert themselves': () => ({
    campaignId: { [Symbol.toPrimitive]: () => 1 },
    placement: { toString: () => 'header_banner' },
  }),
  symbols: () => ({ [Symbol('a')]: 1, campaignId: Symbol('b'), placement: Symbol.iterator }),
  'a bigint': () => ({ ...valid, campaignId: 1n }),
  'a buffer': () => Buffer.alloc(1_000),
  'a generator': () =>
    (function* ads() {
      yield valid
    })(),
  arguments: () =>
    (function given(..._: unknown[]) {
      // biome-ignore lint/complexity/noArguments: the arguments object itself is the input
      return arguments
    })(1, 2),
  'the global object': () => globalThis,
  'broken surrogates': () => ({ ...valid, placement: '\ud800', location: '\udfff' }),
  'terminal escape codes': () => ({ ...valid, placement: '\u001b[2J\u009b1m\r\n[ERROR] forged' }),
}
