import { gunzipSync } from 'node:zlib'
import { decodeCampaign } from '../contestants/impression-inputs.js'

/** How a contestant's server reads and answers its calls. */
export interface SinkProtocol {
  /** Returns the body of the answer that accepts a call. */
  accept(body: Buffer): string
  /** Reads the campaigns that a call reports. */
  readCampaigns(body: Buffer): number[]
}

/** Parsed JSON. Every member is read as if it existed, whatever its type. */
interface LooseJson {
  readonly [name: string]: LooseJson
}

function parseBody(body: Buffer): LooseJson {
  const isGzip = body[0] === 0x1f && body[1] === 0x8b
  return JSON.parse((isGzip ? gunzipSync(body) : body).toString())
}

function readList(json: LooseJson | undefined): LooseJson[] {
  return Array.isArray(json) ? json : []
}

function createPeerProtocol(
  answer: object,
  readCampaigns: (json: LooseJson) => unknown[],
): SinkProtocol {
  const text = JSON.stringify(answer)
  return {
    accept: () => text,
    readCampaigns: (body) => readCampaigns(parseBody(body)).map(Number),
  }
}

const ENS_ANSWER = JSON.stringify({
  status: 'success',
  message: 'Impression tracked successfully',
})

/** Each answers as the real service does. */
export const PROTOCOLS = {
  ens: {
    accept: () => ENS_ANSWER,
    readCampaigns: (body) => [Number(parseBody(body).campaignId)],
  },
  closient: {
    accept: (body) =>
      JSON.stringify({ success: true, count: readList(parseBody(body).impressions).length }),
    readCampaigns: (body) =>
      readList(parseBody(body).impressions).map(({ campaign_id }) =>
        decodeCampaign(String(campaign_id)),
      ),
  },
  segment: createPeerProtocol({ success: true }, ({ batch }) =>
    readList(batch).map(({ properties }) => properties?.campaignId),
  ),
  posthog: createPeerProtocol({ status: 1 }, ({ batch }) =>
    readList(batch).map(({ properties }) => properties?.campaignId),
  ),
  amplitude: createPeerProtocol({ code: 200, events_ingested: 1 }, ({ events }) =>
    readList(events).map((event) => event.event_properties?.campaignId),
  ),
  snowplow: createPeerProtocol({}, ({ data }) =>
    readList(data).map(({ ue_px }) => {
      const event: LooseJson = JSON.parse(Buffer.from(String(ue_px), 'base64').toString())
      return event.data?.data?.campaignId
    }),
  ),
} satisfies Record<string, SinkProtocol>

export type ProtocolName = keyof typeof PROTOCOLS
