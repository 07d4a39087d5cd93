/** A person's browser: without it `fetch` names itself, and is taken for the robot that it is. */
export const BROWSER = {
  'user-agent':
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36',
}

export const ROBOT = {
  'user-agent': 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
}

/** Views a page as a person would, and reads it to its end. Follows no redirect. */
export async function view(
  url: string,
  init: { readonly method?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<{ readonly status: number; readonly text: string }> {
  const { method = 'GET', headers = {} } = init
  const response = await fetch(url, {
    method,
    headers: { ...BROWSER, ...headers },
    redirect: 'manual',
  })
  return { status: response.status, text: await response.text() }
}
