import { getTrackImpression } from '../track-impression.js'

export const metadata = { title: 'The Daily Example' }

export default async function Layout({ children }) {
  const trackImpression = await getTrackImpression()
  return (
    <html lang="en">
      <body>
        {children}
        {/* In the layout, so that the first page of a visit has it, whichever that is. */}
        {/* biome-ignore lint/security/noDangerouslySetInnerHtml: a tag without user input */}
        <div dangerouslySetInnerHTML={{ __html: trackImpression.script() }} />
      </body>
    </html>
  )
}
