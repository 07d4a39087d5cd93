import { getTracker } from '../../../tracker.js'

/** Serves the client script, and receives its reports. */
export default async function handler(req, res) {
  const reply = await getTracker().reply(req, req.body)
  if (!reply) return res.status(404).end()
  return res.writeHead(reply.status, reply.headers).end(reply.body)
}
