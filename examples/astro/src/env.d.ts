declare namespace App {
  interface Locals {
    trackImpression: import('ad-impressions').TrackImpression
  }
}
