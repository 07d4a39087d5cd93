import { Links, Meta, Outlet, Scripts, useLoaderData } from 'react-router'

export function loader({ context }) {
  return { script: context.trackImpression.script() }
}

/** The script stays for all later pages of the visit. */
export const shouldRevalidate = () => false

export default function Root() {
  const { script } = useLoaderData()
  return (
    <html lang="en">
      <head>
        <meta charSet="utf-8" />
        <title>The Daily Example</title>
        <Meta />
        <Links />
      </head>
      <body>
        <Outlet />
        <Scripts />
        {/* biome-ignore lint/security/noDangerouslySetInnerHtml: a tag without user input */}
        <div dangerouslySetInnerHTML={{ __html: script }} />
      </body>
    </html>
  )
}
