/** Whether anything was appended since `ARGV[1]`, or the store was rolled back. */
export const ARRIVALS_SCRIPT = `
return (redis.call('HGET', KEYS[1], 'sequence') or '0') == ARGV[1] and 0 or 1
`

/** The figures of the fleet as JSON. `KEYS`: `state`, `owners`, `records`, `figures`. */
export const FLEET_SCRIPT = `
local base = string.sub(KEYS[1], 1, -1 - #'state')
local owners = {}
for _, owner in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  owners[#owners + 1] = redis.call('HGET', base .. 'owner:' .. owner, 'figures') or '{}'
end
return cjson.encode({
  records = redis.call('HLEN', KEYS[3]),
  past = redis.call('HGETALL', KEYS[4]),
  owners = owners,
})
`
