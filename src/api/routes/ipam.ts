import Type, { type Static } from 'typebox';
import type { App } from '../app.js';

export const AddressOwner = Type.Object({
  peer: Type.String(),
  nickname: Type.String({ description: 'empty when nothing is known of it any more' }),
  addresses: Type.Integer({ description: 'that are its to hand out' }),
  share: Type.Number({ description: 'of the range, 0 to 1' }),
  free: Type.Union([Type.Integer(), Type.Null()], {
    description: 'estimate of how many are in use by nobody',
  }),
  reachable: Type.Boolean(),
  heir: Type.Union([Type.String(), Type.Null()], {
    description: 'who takes over what this one had: it left, was removed, or began anew',
  }),
});
export type AddressOwner = Static<typeof AddressOwner>;

export const Ipam = Type.Object({
  range: Type.String(),
  defaultSubnet: Type.String(),
  range6: Type.Union([Type.String(), Type.Null()], { description: 'null where the kernel has no IPv6' }),
  founders: Type.Array(Type.String(), {
    description: 'between whom the range was split at first; empty while nobody owns addresses',
  }),
  owned: Type.Integer({ description: 'addresses that this router may hand out, used or not' }),
  allocated: Type.Integer({ description: 'in use on this host' }),
  pending: Type.Integer({
    description: 'addresses that are this router’s once those it waits for have answered',
  }),
  waitingFor: Type.Array(Type.Object({ peer: Type.String(), nickname: Type.String() })),
  inDoubt: Type.Boolean({
    description: 'this router was restarted and does not know yet that its disk is the last one',
  }),
  requests: Type.Object({ allocate: Type.Integer(), claim: Type.Integer() }),
  /** What stands in the way, in words. */
  note: Type.Union([Type.String(), Type.Null()]),
  owners: Type.Array(AddressOwner),
});
export type Ipam = Static<typeof Ipam>;

export const PrimeRequest = Type.Object({
  force: Type.Optional(
    Type.Boolean({ description: 'this router’s disk is the last one: it goes on with what it owned' }),
  ),
});
export type PrimeRequest = Static<typeof PrimeRequest>;

/** What the API needs to know about addresses. */
export interface AddressControl {
  status(): Ipam;
  /** Gives the state once this router may hand out addresses, or after some seconds. Rejects with `disk-full`. */
  prime(request: PrimeRequest): Promise<Ipam>;
}

/** Who owns which addresses. */
export function ipamRoutes(app: App, { addresses }: { readonly addresses: AddressControl }): void {
  const response = { 200: Ipam };
  app.get('/ipam', { schema: { summary: 'who owns which addresses', response } }, async () =>
    addresses.status(),
  );
  app.post(
    '/ipam/prime',
    { schema: { summary: 'wait until there are addresses to hand out', body: PrimeRequest, response } },
    async ({ body }) => addresses.prime(body),
  );
}
