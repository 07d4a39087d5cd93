import { MAX_RECORDS } from '../delivery/outbox/store.js'
import { FIGURES_FUNCTION } from './read-scripts.js'

const DAY_MS = 24 * 3_600_000

/**
 * The longest time without any process of a network before its keys expire, in milliseconds: 30
 * days. A network that is removed from the configuration leaves nothing behind.
 */
const IDLE_TTL_MS = 30 * DAY_MS

/**
 * How long the store remembers that an owner is dead, and its last step, in milliseconds: a day.
 * Until then, a step that a client sends once more, after a long loss of its connection, cannot bring
 * the owner back.
 */
const DEAD_OWNER_TTL_MS = DAY_MS

/**
 * One exchange. `ARGV[1]` is the request and the reply is the response, both as JSON: see
 * `encodeRequest` and `decodeResponse`.
 *
 * The names of dead owners' keys are only known here. They are made from `KEYS[1]`, because a client
 * may add a prefix to the names of keys.
 */
export const EXCHANGE_SCRIPT = `${FIGURES_FUNCTION}
local request = cjson.decode(ARGV[1])
local STATE, OWNERS, DEAD, RECORDS, CALLS, FIGURES, OWNER, CLAIMED, BOX = unpack(KEYS, 1, 9)
local base = string.sub(STATE, 1, -1 - #'state')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local stored = redis.call('HMGET', OWNER, 'step', 'isDead', 'expiresFromMs', 'isSpared')
local lastStep = tonumber(stored[1] or 0)
local storeId = redis.call('HGET', STATE, 'id') or ''

-- An owner that has no lease and is not dead goes on: the key with all leases has been lost.
local function isLost()
  if stored[2] then return true end
  local isKnown = request.isNew or stored[1] or redis.call('ZSCORE', OWNERS, request.owner)
  return not isKnown
end

local function lostResponse()
  local response = { storeId = storeId, isLost = true, receipts = '', isFull = false }
  if stored[1] then response.wasDone = lastStep == request.step end
  if response.wasDone and request.append then
    local last = redis.call('HMGET', OWNER, 'appendNumber', 'receipts')
    response.isFull = tonumber(last[1] or 0) ~= request.append.number
    if not response.isFull then response.receipts = last[2] end
  end
  return cjson.encode(response)
end

if request.step < lastStep then
  return redis.error_reply('STALE a later step of this process has been done')
end
if isLost() then return lostResponse() end

-- When memory is full, Redis refuses the writes of a script that need some, unless one that needs
-- none has gone before. The step is done but for the append, because it may free memory.
local isFull = false
local written = redis.pcall('HSET', OWNER, 'step', request.step)
if type(written) == 'table' and written.err then
  if not string.find(written.err, '^OOM') then return written end
  redis.call('HDEL', STATE, '')
  redis.call('HSET', OWNER, 'step', request.step)
  isFull = true
end

-- A client, too, sends a step again when it has lost its connection before the answer.
local isDone = lastStep == request.step
local isRepeated = request.isResync or isDone
-- After a failover to a replica that lagged behind, the store knows less than the owner was told.
-- It is told everything again. The owner still settles what it has sent, also where the claim is
-- undone: were it lost, others would send that once more.
local isRolledBack = lastStep < request.step - 1
if isRolledBack then request.seenUpTo = 0 end
-- It begins with the time, so that it goes on above the numbers in use if this key has been lost.
local sequence = tonumber(redis.call('HGET', STATE, 'sequence') or now)
if storeId == '' then
  storeId = request.owner
  redis.call('HSET', STATE, 'id', storeId)
end
local response = {
  storeId = storeId, isFull = false, isSender = false, isFailover = false,
  seenUpTo = request.seenUpTo
}

local function putIntoBox(id)
  sequence = sequence + 1
  redis.call('ZADD', BOX, sequence, id)
end

local function putIntoClaimed(id)
  redis.call('ZADD', CLAIMED, sequence, id)
end

local function isAlive(owner)
  return tonumber(redis.call('ZSCORE', OWNERS, owner) or 0) > now
end

local function renewLease()
  redis.call('ZADD', OWNERS, now + request.leaseMs, request.owner)
  if stored[4] then redis.call('HDEL', OWNER, 'isSpared') end
end

local function spareOthers()
  if request.outageMs == 0 then return end
  local from, untilMs = '(' .. now - request.outageMs, now + request.leaseMs
  for _, owner in ipairs(redis.call('ZRANGEBYSCORE', OWNERS, from, '(' .. untilMs)) do
    local key = base .. 'owner:' .. owner
    if redis.call('HEXISTS', key, 'isSpared') == 0 then
      redis.call('HSET', key, 'isSpared', 1)
      redis.call('ZADD', OWNERS, untilMs, owner)
    end
  end
end

local function becomeSender()
  if request.box == 'own' or request.isLeaving then return false end
  local sender = redis.call('HGET', STATE, 'sender')
  if sender and isAlive(sender) then return false end
  redis.call('HSET', STATE, 'sender', request.owner, 'isFailover', sender and 1 or 0)
  return true
end

local function isSender()
  return request.box == 'own' or redis.call('HGET', STATE, 'sender') == request.owner
end

local function bury(owner)
  local key = base .. 'owner:' .. owner
  eachFigure(redis.call('HGET', key, 'figures'), function(name, count)
    if name == 'held' or name == 'unstored' then return end
    redis.pcall('HINCRBY', FIGURES, name, string.format('%.0f', count))
  end)
  redis.call('HDEL', key, 'figures')
  redis.call('HSET', key, 'isDead', 1)
  redis.call('PEXPIRE', key, ${DEAD_OWNER_TTL_MS})
  redis.call('ZREM', OWNERS, owner)
  redis.call('RPUSH', DEAD, owner)
end

-- Returns the ids that were moved.
local function move(from, put, max)
  if max == 0 then return {} end
  local ids = redis.call('ZRANGE', from, 0, max - 1)
  for _, id in ipairs(ids) do put(id) end
  if #ids > 0 then redis.call('ZREMRANGEBYRANK', from, 0, #ids - 1) end
  return ids
end

-- Returns the ids of what dead owners had claimed.
local function takeOver()
  if request.isLeaving then return {} end
  local expired = redis.call('ZRANGEBYSCORE', OWNERS, '-inf', now, 'LIMIT', 0, ${MAX_RECORDS})
  for _, owner in ipairs(expired) do bury(owner) end

  local orphans, left = {}, ${MAX_RECORDS}
  while left > 0 do
    local owner = redis.call('LINDEX', DEAD, 0)
    if not owner then break end
    for _, id in ipairs(move(base .. 'claimed:' .. owner, putIntoClaimed, left)) do
      orphans[#orphans + 1] = id
      left = left - 1
    end
    left = left - #move(base .. 'box:' .. owner, putIntoBox, left)
    if left > 0 then redis.call('LPOP', DEAD) end
  end
  return orphans
end

local function hasRecord(id)
  return redis.call('HEXISTS', RECORDS, id) == 1
end

-- All boxes, and what each owner has claimed.
local function listPlaces()
  local places = { base .. 'box' }
  local function addPlaces(owners)
    for _, owner in ipairs(owners) do
      places[#places + 1] = base .. 'box:' .. owner
      places[#places + 1] = base .. 'claimed:' .. owner
    end
  end
  addPlaces(redis.call('ZRANGE', OWNERS, 0, -1))
  addPlaces(redis.call('LRANGE', DEAD, 0, -1))
  return places
end

-- Drops the records that neither wait nor are claimed, because a place has been lost. They would
-- stay for ever. Dropped, they are missing for the process that knows them.
local isChecked = false
local function dropStrays()
  if isChecked then return end
  isChecked = true
  local places, placed, isPlaced = listPlaces(), 0, {}
  for _, place in ipairs(places) do placed = placed + redis.call('ZCARD', place) end
  if placed >= redis.call('HLEN', RECORDS) then return end
  for _, place in ipairs(places) do
    for _, id in ipairs(redis.call('ZRANGE', place, 0, -1)) do isPlaced[id] = true end
  end
  for _, id in ipairs(redis.call('HKEYS', RECORDS)) do
    if not isPlaced[id] then redis.call('HDEL', RECORDS, id) end
  end
end

-- Of a record that the owner has not claimed. Another one may have.
local function isMissing(id)
  if redis.call('ZSCORE', BOX, id) then return false end
  if hasRecord(id) then dropStrays() end
  return not hasRecord(id)
end

local function settle(id)
  local removed = redis.call('ZREM', CLAIMED, id) + redis.call('ZREM', BOX, id)
  if removed > 0 then
    redis.call('HDEL', RECORDS, id)
  elseif hasRecord(id) then
    dropStrays()
  end
end

local function release(record)
  if redis.call('ZREM', CLAIMED, record[1]) == 0 then return end
  redis.call('HSET', RECORDS, record[1], record[2])
  putIntoBox(record[1])
end

-- Returns how many records the owner may claim now, and whether it tries the network for all.
local function claimLimit()
  if not isSender() then return 0, false end
  local pause = redis.call('HMGET', STATE, 'pauseOwner', 'pauseUntilMs', 'isProbe')
  if not pause[1] then return math.huge, false end
  if tonumber(pause[2]) <= now then return 1, true end
  local isOwn = pause[1] == request.owner and pause[3] == '0'
  return isOwn and math.huge or 0, false
end

local function setPause(lengthMs, isProbe)
  redis.call('HSET', STATE, 'pauseOwner', request.owner, 'pauseUntilMs', now + lengthMs,
    'isProbe', isProbe)
end

local function claim()
  local claimed, missing = {}, {}
  local left, isProbe = claimLimit()
  for _, id in ipairs(request.claim) do
    if redis.call('ZSCORE', CLAIMED, id) then
      claimed[#claimed + 1] = id
    elseif left > 0 and redis.call('ZREM', BOX, id) == 1 then
      putIntoClaimed(id)
      claimed[#claimed + 1] = id
      left = left - 1
      if isProbe then setPause(request.probeMs, 1) end
    elseif isMissing(id) then
      missing[#missing + 1] = id
    end
  end
  return claimed, missing
end

-- Of a record that was accepted before: others may have sent it, or be about to.
local function receiptForKnown(id)
  return redis.call('ZSCORE', BOX, id) and 'A' or 'H'
end

local function repeatReceipts(receipts)
  local at = 0
  return (string.gsub(receipts, '.', function(receipt)
    at = at + 1
    return receipt == 'A' and receiptForKnown(request.append.records[at][1]) or receipt
  end))
end

local count = 0
local function append(id, payload, keyIndex)
  if hasRecord(id) then return receiptForKnown(id) end
  local key = KEYS[keyIndex]
  if key and redis.call('EXISTS', key) == 1 then return 'D' end
  if count >= request.maxPending then return 'O' end
  if key then redis.call('SET', key, '', 'PX', request.dedupeTtlMs) end
  redis.call('HSET', RECORDS, id, payload)
  putIntoBox(id)
  count = count + 1
  return 'A'
end

local function appendAll()
  if not request.append then return '' end
  local last = redis.call('HMGET', OWNER, 'appendNumber', 'receipts')
  if tonumber(last[1] or 0) == request.append.number then return repeatReceipts(last[2]) end
  if isFull then
    response.isFull = true
    return ''
  end
  count = redis.call('HLEN', RECORDS)
  if count + #request.append.records > request.maxPending then
    dropStrays()
    count = redis.call('HLEN', RECORDS)
  end
  local receipts = {}
  for i, record in ipairs(request.append.records) do
    receipts[i] = append(record[1], record[2], record[3])
  end
  local text = table.concat(receipts)
  redis.call('HSET', OWNER, 'appendNumber', request.append.number, 'receipts', text)
  return text
end

local function isForgotten(entry)
  return tonumber(string.match(entry, '^%d+')) <= now - request.callsTtlMs
end

local function recordCalls()
  if request.callsTtlMs == 0 then return end
  if request.calls > 0 and not isDone then
    redis.call('RPUSH', CALLS, string.format('%.0f:%.0f', now, request.calls))
  end
  for _ = 1, ${MAX_RECORDS} do
    local oldest = redis.call('LINDEX', CALLS, 0)
    if not oldest or not isForgotten(oldest) then break end
    redis.call('LPOP', CALLS)
  end
end

local function changePause()
  if not request.pauseMs or isDone then return end
  local pause = redis.call('HMGET', STATE, 'pauseOwner', 'pauseUntilMs')
  local isOwn = pause[1] == request.owner
  if request.pauseMs > 0 then
    local isLonger = now + request.pauseMs >= tonumber(pause[2] or 0)
    if isOwn or isLonger then setPause(request.pauseMs, 0) end
  elseif isOwn then
    redis.call('HDEL', STATE, 'pauseOwner', 'pauseUntilMs', 'isProbe')
  end
end

-- A flat list: id, payload, id, payload.
local function toRecords(ids)
  local records = {}
  for from = 1, #ids, ${MAX_RECORDS} do
    local to = math.min(from + ${MAX_RECORDS} - 1, #ids)
    local payloads = redis.call('HMGET', RECORDS, unpack(ids, from, to))
    for i, payload in ipairs(payloads) do
      local id = ids[from + i - 1]
      if payload then
        records[#records + 1] = id
        records[#records + 1] = payload
      else
        -- Evicted, or deleted by hand: nobody who reads it can send it.
        redis.call('ZREM', BOX, id)
        redis.call('ZREM', CLAIMED, id)
      end
    end
  end
  return records
end

-- What arrived up to \`last\`, before this step appended anything.
local function listArrivals(last)
  if not isSender() then return end
  response.seenUpTo = sequence
  if last <= request.seenUpTo then return end
  local ids = redis.call('ZRANGEBYSCORE', BOX, '(' .. request.seenUpTo, last, 'LIMIT', 0, ${MAX_RECORDS})
  -- Before those without a payload are removed.
  if #ids == ${MAX_RECORDS} then response.seenUpTo = tonumber(redis.call('ZSCORE', BOX, ids[#ids])) end
  response.arrivals = toRecords(ids)
end

local function leave()
  bury(request.owner)
  if redis.call('HGET', STATE, 'sender') == request.owner then
    redis.call('HDEL', STATE, 'sender', 'isFailover')
  end
end

renewLease()
spareOthers()
local isNewSender = becomeSender()
local orphans = toRecords(takeOver())
for _, id in ipairs(request.settle) do settle(id) end
for _, record in ipairs(request.release) do release(record) end
response.claimed, response.missing = claim()
local sequenceBeforeAppend = sequence
response.receipts = appendAll()
recordCalls()
changePause()
redis.call('HSET', OWNER, 'figures', request.figures)
response.others = redis.call('ZCOUNT', OWNERS, '(' .. now, '+inf') - 1

if request.isLeaving then
  leave()
else
  listArrivals(sequenceBeforeAppend)
  local isResync = isRepeated or isRolledBack
  response.orphans = isResync and toRecords(redis.call('ZRANGE', CLAIMED, 0, -1)) or orphans
  response.isSender = isSender()
  if request.box == 'fleet' and response.isSender and (isNewSender or isRepeated) then
    response.nowMs = now
    response.calls = redis.call('LRANGE', CALLS, 0, -1)
    response.isFailover = redis.call('HGET', STATE, 'isFailover') == '1'
  end
end

-- Once a day, because Redis replicates and logs each change. A key that was empty begins anew.
local isDue = now - tonumber(stored[3] or 0) >= ${DAY_MS}
local function keepKeys()
  local idleTtlMs = math.max(${IDLE_TTL_MS}, request.callsTtlMs + ${DAY_MS})
  if isDue and not request.isLeaving then redis.call('HSET', OWNER, 'expiresFromMs', now) end
  for i = 1, 9 do
    if KEYS[i] ~= OWNER or not request.isLeaving then
      if isDue then
        redis.call('PEXPIRE', KEYS[i], idleTtlMs)
      else
        redis.call('PEXPIRE', KEYS[i], idleTtlMs, 'NX')
      end
    end
  end
end

redis.call('HSET', STATE, 'sequence', sequence)
if isDue then dropStrays() end
keepKeys()
return cjson.encode(response)
`
