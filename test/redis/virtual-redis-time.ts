import type { Redis } from 'ioredis'
import { type RunScript, type Script, toScript } from '../../lib/redis/client.js'
import { VirtualClock } from '../delivery/virtual-clock.js'

/** How long the server's own expiry is moved when time passes: each key of a network. */
const ADVANCE_SCRIPT = `
for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
  local ttl = redis.call('PTTL', key)
  if ttl > 0 then redis.call('PEXPIRE', key, ttl - ARGV[2]) end
end
`

/** Time as scripts see it, which passes only when a test lets it. */
export class VirtualRedisTime {
  readonly #clock = new VirtualClock()
  readonly #scripts = new Map<string, Script>()

  /** Runs scripts with this time in place of the server's. */
  wrap(run: RunScript): RunScript {
    return (script, ...rest) => run(this.#withTime(script), ...rest)
  }

  /** @param pattern of the keys that expire earlier by `ms` */
  async advance(client: Redis, pattern: string, ms: number): Promise<void> {
    this.#clock.advance(ms)
    this.#scripts.clear()
    await client.eval(ADVANCE_SCRIPT, 0, pattern, ms)
  }

  #withTime(script: Script): Script {
    const known = this.#scripts.get(script.sha1)
    if (known) return known
    const nowMs = this.#clock.now()
    const time = `{'${Math.floor(nowMs / 1_000)}', '${(nowMs % 1_000) * 1_000}'}`
    const changed = toScript(script.text.replace("redis.call('TIME')", time))
    this.#scripts.set(script.sha1, changed)
    return changed
  }
}
