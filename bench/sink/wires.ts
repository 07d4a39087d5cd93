import { gunzipSync } from 'node:zlib'
import { campaignOf } from '../contestants/ads.js'

/** How a contestant speaks to whom it tells of impressions. */
export interface Wire {
  /** What a call is answered that is accepted. */
  accept(body: Buffer): string
  /** The campaigns that a call's body tells of. */
  campaigns(body: Buffer): number[]
}

/** Of the one body that is read here: any object, each member looked at as what it should be. */
interface Json {
  readonly [name: string]: Json
}

function parse(body: Buffer): Json {
  const isGzip = body[0] === 0x1f && body[1] === 0x8b
  return JSON.parse((isGzip ? gunzipSync(body) : body).toString())
}

/** The items of a list. */
function list(json: Json | undefined): Json[] {
  return Array.isArray(json) ? json : []
}

function peer(answer: object, campaigns: (json: Json) => unknown[]): Wire {
  const text = JSON.stringify(answer)
  return { accept: () => text, campaigns: (body) => campaigns(parse(body)).map(Number) }
}

const ENS_ANSWER = JSON.stringify({
  status: 'success',
  message: 'Impression tracked successfully',
})

function closientCampaigns(body: Buffer): number[] {
  return list(parse(body).impressions).map(({ campaign_id }) => campaignOf(String(campaign_id)))
}

export const WIRES = {
  ens: {
    accept: () => ENS_ANSWER,
    campaigns: (body) => [Number(parse(body).campaignId)],
  },
  closient: {
    accept: (body) =>
      JSON.stringify({ success: true, count: list(parse(body).impressions).length }),
    campaigns: closientCampaigns,
  },
  segment: peer({ success: true }, ({ batch }) =>
    list(batch).map(({ properties }) => properties?.campaignId),
  ),
  posthog: peer({ status: 1 }, ({ batch }) =>
    list(batch).map(({ properties }) => properties?.campaignId),
  ),
  amplitude: peer({ code: 200, events_ingested: 1 }, ({ events }) =>
    list(events).map((event) => event.event_properties?.campaignId),
  ),
  snowplow: peer({}, ({ data }) =>
    list(data).map(({ ue_px }) => {
      const event: Json = JSON.parse(Buffer.from(String(ue_px), 'base64').toString())
      return event.data?.data?.campaignId
    }),
  ),
} satisfies Record<string, Wire>

export type WireName = keyof typeof WIRES
