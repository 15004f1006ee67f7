import Type, { type Static } from 'typebox';
import type { App } from '../app.js';

const Addresses = Type.Array(Type.String(), {
  maxItems: 256,
  description: 'IPv4 and IPv6, without prefix length',
});

export const Name = Type.Object({
  name: Type.String({ description: 'with the domain' }),
  addresses: Type.Array(Type.String()),
  network: Type.Number({ description: 'number of the Ethernet segment on which it is answered' }),
  container: Type.String(),
  peer: Type.String({ description: 'short id of the host that it is on' }),
  nickname: Type.String(),
  answered: Type.Boolean({ description: 'false while its host is down' }),
  labels: Type.Record(Type.String(), Type.String(), {
    description: 'of the container; empty where its host does not tell them',
  }),
});
export type Name = Static<typeof Name>;

export const DnsWaiting = Type.Object({
  address: Type.String({ description: 'of this host, with the port' }),
  reason: Type.String(),
});
export type DnsWaiting = Static<typeof DnsWaiting>;

export const DnsStatus = Type.Object({
  serving: Type.Boolean({ description: 'false with --no-dns' }),
  domain: Type.String(),
  ttl: Type.Number({ description: 'seconds' }),
  listening: Type.Array(Type.String()),
  waiting: Type.Array(DnsWaiting, { description: 'where names are to be served and are not yet' }),
  upstreams: Type.Array(Type.String({ description: 'servers that are asked for all other names' })),
  names: Type.Number(),
  counters: Type.Record(Type.String(), Type.Number()),
});
export type DnsStatus = Static<typeof DnsStatus>;

export const DnsReport = Type.Object({ status: DnsStatus, names: Type.Array(Name) });
export type DnsReport = Static<typeof DnsReport>;

export const NameRequest = Type.Object({
  container: Type.Optional(Type.String({ minLength: 1, description: 'absent: none of weft’s' })),
  name: Type.Optional(Type.String({ minLength: 1, description: 'absent: that of the container' })),
  addresses: Type.Optional(Addresses),
});
export type NameRequest = Static<typeof NameRequest>;

export const NameQuery = Type.Object({
  name: Type.String({ minLength: 1, description: 'a name, or an address' }),
});

export const NameFound = Type.Object({
  name: Type.String(),
  answers: Type.Array(Type.String({ description: 'addresses of the name, or names of the address' })),
});
export type NameFound = Static<typeof NameFound>;

/** What the API needs to know about names. */
export interface NameControl {
  status(): Promise<DnsStatus>;
  list(): Name[];
  /** Gives what the name is on this host afterwards. Without addresses: those that the container has. */
  add(request: NameRequest): Promise<Name[]>;
  /** Gives what is left of these names on this host. */
  remove(request: NameRequest): Promise<Name[]>;
  lookup(name: string): NameFound;
}

/** Names of containers, and the DNS server that answers them. */
export function namesRoutes(app: App, { names }: { readonly names: NameControl }): void {
  const response = { 200: Type.Array(Name) };
  app.get(
    '/dns',
    { schema: { summary: 'the DNS server and all names', response: { 200: DnsReport } } },
    async () => ({
      status: await names.status(),
      names: names.list(),
    }),
  );
  app.get('/names', { schema: { summary: 'names of containers on all hosts', response } }, async () =>
    names.list(),
  );
  app.post(
    '/names',
    { schema: { summary: 'name a container or an address', body: NameRequest, response } },
    async ({ body }) => names.add(body),
  );
  app.delete(
    '/names',
    { schema: { summary: 'take names or addresses away again', body: NameRequest, response } },
    async ({ body }) => names.remove(body),
  );
  app.get(
    '/names/lookup',
    {
      schema: {
        summary: 'what containers are answered',
        querystring: NameQuery,
        response: { 200: NameFound },
      },
    },
    async ({ query }) => names.lookup(query.name),
  );
}
