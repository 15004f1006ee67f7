/** Reads `http://…` or `https://…`, with a path and perhaps credentials. What it throws holds none of them. */
export function parseUrl(text: string): URL {
  if (!URL.canParse(text)) throw new Error('it is no URL: write http://HOST:PORT/… or https://…');
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new Error('its URL must begin with http or https');
  if (url.search !== '' || url.hash !== '') throw new Error('its URL must have neither ? nor #');
  return url;
}

/** What a URL is called: without credentials. */
export function nameOfUrl({ protocol, host, pathname }: URL): string {
  return `${protocol}//${host}${pathname}`;
}
