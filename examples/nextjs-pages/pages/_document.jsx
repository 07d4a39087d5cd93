import { Head, Html, Main, NextScript } from 'next/document'

/** The first page of a visit loads the client script, which serves all later pages. */
export default function Document() {
  return (
    <Html lang="en">
      <Head>
        <script src="/api/ad-impressions/client.js" async />
      </Head>
      <body>
        <Main />
        <NextScript />
      </body>
    </Html>
  )
}
