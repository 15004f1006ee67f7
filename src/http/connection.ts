import type { Client, Dispatcher } from 'undici';

export interface JsonRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With the query. */
  readonly path: string;
  /** Sent as JSON. */
  readonly content?: object | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** A connection for one question, made when that is asked: none is kept to a server that may be another one by then. Whoever opens it destroys it. */
export async function openConnection(origin: string, options: Client.Options): Promise<Client> {
  const { Client } = await import('./undici.js');
  return new Client(origin, options);
}

export function sendJson(
  connection: Client,
  { method = 'GET', path, content, headers = {}, signal }: JsonRequest,
): Promise<Dispatcher.ResponseData> {
  return connection.request({
    method,
    path,
    signal,
    headers: { ...(content !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(content !== undefined && { body: JSON.stringify(content) }),
  });
}
