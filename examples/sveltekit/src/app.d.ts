/// <reference types="@sveltejs/adapter-node" />
import type { TrackImpression } from 'ad-impressions'

declare global {
  namespace App {
    interface Locals {
      trackImpression: TrackImpression
    }
  }
}
