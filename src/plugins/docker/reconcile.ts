import { eachContainer } from '../../engine/index.js';
import { withoutLength } from '../../net/index.js';
import type { PlatformHost } from '../platform/index.js';
import type { Book } from './book.js';
import type { DockerEndpoints, DockerNetworks } from './driver/index.js';
import type { DockerEngine } from './engine.js';
import type { Grace } from './grace.js';

/** Of what nobody has, one for each kind. */
export interface Graces {
  /** No container runs with it, and Docker does not list it either. */
  readonly endpoints: Grace;
  /** No container runs with it, but Docker lists it. */
  readonly starting: Grace;
  readonly networks: Grace;
  readonly addresses: Grace;
}

export interface ReconcileOptions {
  readonly host: PlatformHost;
  readonly book: Book;
  readonly endpoints: Pick<DockerEndpoints, 'remove'>;
  readonly networks: Pick<DockerNetworks, 'remove'>;
  readonly graces: Graces;
}

/**
 * Takes away what Docker has no more: it may have died between two calls, or nobody heard it. Gives whether there is more that nobody has, whose time
 * is not over yet. Where Docker does not answer nothing is taken away; then it rejects.
 */
export async function reconcile(engine: DockerEngine, options: ReconcileOptions): Promise<boolean> {
  const { host, book, endpoints, networks, graces } = options;
  const known = [...host.endpoints.list(), ...book.endpoints].map(({ id }) => id);
  const used = known.length === 0 ? new Set() : await usedEndpoints(engine, options);
  const idleEndpoints = known.filter((id) => !used.has(id));
  const listed = await listedEndpoints(engine, book, idleEndpoints);
  const lostEndpoints = [
    ...graces.endpoints.over(idleEndpoints.filter((id) => !listed.has(id))),
    ...graces.starting.over(idleEndpoints.filter((id) => listed.has(id))),
  ];
  await Promise.all(lostEndpoints.map((id) => endpoints.remove({ EndpointID: id })));

  const kept = new Set((await engine.networks()).map(({ id }) => id));
  const idleNetworks = book.networks.map(({ id }) => id).filter((id) => !kept.has(id));
  const lostNetworks = graces.networks.over(idleNetworks);
  await Promise.all(lostNetworks.map((id) => networks.remove({ NetworkID: id })));

  const idleAddresses = unusedAddresses(options);
  const lostAddresses = graces.addresses.over(idleAddresses);
  for (const address of lostAddresses) graces.addresses.forget(address);
  // All at once: what somebody claims from now on is not released any more.
  await Promise.all(lostAddresses.map((address) => host.addresses.release(address)));
  const lost = lostEndpoints.length + lostNetworks.length + lostAddresses.length;
  return new Set(idleEndpoints).size + idleNetworks.length + idleAddresses.length > lost;
}

/** Those that some container of the engine has; of a container that is known it is asked, whatever the engine lists. */
async function usedEndpoints(engine: DockerEngine, { host }: ReconcileOptions): Promise<Set<string>> {
  const bound = host.endpoints.list().flatMap(({ container }) => (container === null ? [] : [container]));
  const containers = new Set([...bound, ...(await engine.running())]);
  const used = new Set<string>();
  await eachContainer(engine, [...containers], ({ networks }) => {
    for (const { endpointId } of networks) used.add(endpointId);
  });
  return used;
}

/**
 * Those that Docker would take away by itself: of containers that are being started, which takes a busy host more than half a minute. It may
 * list one for ever that it could not take away while weft was not there.
 */
async function listedEndpoints(
  engine: DockerEngine,
  book: Book,
  idle: readonly string[],
): Promise<Set<string>> {
  const listed = new Set<string>();
  const networks = new Set(idle.flatMap((id) => book.endpoint(id)?.network ?? []));
  for (const id of networks) for (const each of (await engine.network(id))?.endpoints ?? []) listed.add(each);
  return listed;
}

function unusedAddresses({ host, book }: ReconcileOptions): string[] {
  const used = new Set([
    ...host.endpoints.list().flatMap(({ addresses }) => addresses.map(withoutLength)),
    ...book.endpoints.flatMap(({ claimed }) => claimed),
    ...book.networks.flatMap(({ reserved }) => reserved),
    ...book.given.keys(),
  ]);
  return host.addresses.held().filter((address) => !used.has(address));
}
