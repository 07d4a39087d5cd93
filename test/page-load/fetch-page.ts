/** A person's browser. `fetch` sends its own name by default, which isbot recognizes as a bot. */
export const BROWSER_HEADERS = {
  'user-agent':
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36',
}

export const BOT_HEADERS = {
  'user-agent': 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
}

/** Requests a page as a browser does, and reads the whole body. Does not follow redirects. */
export async function fetchPage(
  url: string,
  init: { readonly method?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<{ readonly status: number; readonly text: string }> {
  const { method = 'GET', headers = {} } = init
  const response = await fetch(url, {
    method,
    headers: { ...BROWSER_HEADERS, ...headers },
    redirect: 'manual',
  })
  return { status: response.status, text: await response.text() }
}
