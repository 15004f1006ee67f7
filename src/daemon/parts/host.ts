import { Dns } from '../names/index.js';
import { Policies } from '../policies/index.js';
import { type Addressing, composeAddresses } from './addresses.js';
import { type Attaching, composeAttachments } from './attachments.js';
import type { ControlPlane } from './control-plane.js';
import type { DataPlane } from './data-plane.js';
import { composeEnforcement, type Enforcing } from './enforcement.js';
import type { Materials } from './materials.js';

export type Host = ReturnType<typeof composeHost>;

/** The containers of this host: their addresses, their interfaces, what others hear of them, and their names. */
export function composeHost(materials: Materials, control: ControlPlane, data: DataPlane) {
  const addressing = composeAddresses(materials, control, data);
  const enforcing = composeEnforcement(materials, data, addressing);
  const attaching = composeAttachments(materials, data, addressing, enforcing);
  const names = composeNames(materials, control, data, addressing, attaching);
  const policies = composePolicies(materials, data, enforcing, attaching, names);
  return { ...addressing, enforcement: enforcing.enforcement, ...attaching, names, policies };
}

/** The names of containers. */
function composeNames(
  { request, plan, mtu, log }: Materials,
  { mesh }: ControlPlane,
  { networks }: DataPlane,
  { endpoints }: Addressing,
  { attachments }: Attaching,
): Dns {
  const { identity, settings, files } = plan;
  return new Dns({
    identity,
    mesh,
    mtu,
    settings,
    listenChosen: request.settings.dnsListen !== undefined,
    file: files.names,
    attachments,
    networks,
    isGiven: (network, address) => endpoints.isGivenAddress(network, address),
    labelsOf: (network, addresses, peer) => endpoints.labelsOf(network, addresses, peer),
    log,
  });
}

/** What the command shows and changes of what containers may do. */
function composePolicies(
  { kubernetes }: Materials,
  { publishedPolicies }: DataPlane,
  { pods, allPolicies, enforcement }: Enforcing,
  { attachments }: Attaching,
  names: Dns,
): Policies {
  return new Policies({
    published: publishedPolicies,
    all: allPolicies,
    flaws: () => kubernetes?.flaws() ?? [],
    enforcement,
    pods,
    names,
    attachments,
  });
}
