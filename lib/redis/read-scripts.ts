/** Whether anything was appended since `ARGV[1]`, or the store was rolled back. */
export const ARRIVALS_SCRIPT = `
return (redis.call('HGET', KEYS[1], 'sequence') or '0') == ARGV[1] and 0 or 1
`

/** A function for scripts. An error in one owner's figures would fail the steps of all. */
export const FIGURES_FUNCTION = `
-- Calls \`add\` with the name and the count of each figure.
local function eachFigure(json, add)
  local isDecoded, figures = pcall(cjson.decode, json or '{}')
  if not isDecoded or type(figures) ~= 'table' then return end
  for name, count in pairs(figures) do
    if type(count) == 'number' then add(name, count) end
  end
end
`

/** The figures of the fleet as JSON. `KEYS`: `state`, `owners`, `records`, `figures`. */
export const FLEET_SCRIPT = `${FIGURES_FUNCTION}
local base = string.sub(KEYS[1], 1, -1 - #'state')
local figures = {}
local function add(name, count)
  figures[name] = (figures[name] or 0) + count
end
local past = redis.call('HGETALL', KEYS[4])
for i = 1, #past, 2 do add(past[i], tonumber(past[i + 1]) or 0) end
for _, owner in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  eachFigure(redis.call('HGET', base .. 'owner:' .. owner, 'figures'), add)
end
return cjson.encode({ figures = figures, records = redis.call('HLEN', KEYS[3]) })
`
