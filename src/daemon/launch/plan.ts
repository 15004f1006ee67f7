import { parseDomain } from '../../dns/index.js';
import { WeftError } from '../../errors.js';
import { checkBridgeName, checkMtu, parseSubnet } from '../../hostnet/index.js';
import {
  type Identity,
  isLater,
  loadNetwork,
  loadOrCreateIdentity,
  loadOrCreateKeyPair,
  type Network,
  networkFromToken,
  newNetwork,
  parseToken,
  saveNetwork,
} from '../../identity/index.js';
import { findAccess } from '../../kubernetes/index.js';
import {
  formatHostPort,
  parseAdvertised,
  parseHostPort,
  parseStatusAddress,
  parseTarget,
} from '../../net/index.js';
import { parseSource } from '../../plugins/discovery/index.js';
import { type AddressPlan, loadRing, planAddresses, type Ring } from '../addresses/index.js';
import { parseListenAddress } from '../names/index.js';
import {
  type LaunchRequest,
  rememberState,
  type Settings,
  type StateFiles,
  type StoredTrust,
  settle,
  stateFiles,
} from '../state/index.js';

/** What a router is going to be: the launch request joined with what earlier launches left in the state directory. */
export interface Plan {
  readonly identity: Identity;
  readonly network: Network;
  readonly settings: Settings;
  readonly targets: readonly string[];
  /** Those of the targets that came with `weft connect`. */
  readonly connected: readonly string[];
  /** The network comes from the state directory. */
  readonly resumed: boolean;
  /** What members said about each other and the secret. */
  readonly trust: StoredTrust;
  readonly files: StateFiles;
  readonly addresses: AddressPlan;
  /** The ring of addresses as it is on the disk. */
  readonly ring: Ring;
}

/** A plan that can be given up: a launch that fails has chosen nothing. */
export interface OpenPlan extends Plan {
  /** Puts the state directory back as it was. */
  undo(): Promise<void>;
}

/** Reads the state, decides, and writes what is new. Rejects with `other-network` and the errors of damaged files. */
export async function makePlan(request: LaunchRequest): Promise<OpenPlan> {
  const undo = await rememberState(request.stateDir);
  try {
    return { ...(await decide(request)), undo };
  } catch (error) {
    await undo();
    throw error;
  }
}

async function decide(request: LaunchRequest): Promise<Plan> {
  const files = stateFiles(request.stateDir);
  const [stored, earlier, { targets: known, connected: added = [] }, trust] = await Promise.all([
    loadNetwork(request.stateDir),
    files.launch.read(),
    files.targets.read(),
    files.trust.read(),
  ]);
  for (const text of request.peers) parseTarget(text);
  for (const text of request.settings.advertise ?? []) parseAdvertised(text);
  for (const text of request.settings.discover ?? []) parseSource(text);
  const chosen = settle(request.settings, earlier);
  const settings = {
    ...chosen,
    // What an earlier version of weft took is no reason not to start.
    advertise: chosen.advertise.filter((text) => isRead(text, parseAdvertised)),
    discover: chosen.discover.filter((text) => isRead(text, parseSource)),
    dnsDomain: parseDomain(chosen.dnsDomain),
    trustedSubnets: chosen.trustedSubnets.map(parseSubnet),
  };
  checkBridgeName(settings.bridge);
  for (const text of settings.dnsListen) parseListenAddress(text);
  parseStatusAddress(settings.statusAddr);
  if (settings.mtu !== 'auto') checkMtu(settings.mtu);
  if (settings.kubernetes) await findAccess(process.env);
  const token = request.network === undefined ? undefined : parseToken(request.network.token);
  const asked =
    token === undefined ? undefined : { ...networkFromToken(token), mode: request.network?.mode ?? 'token' };
  const network =
    request.adminKey === undefined
      ? decideNetwork(stored, asked, request.stateDir)
      : await ruledNetwork(stored, asked, request.adminKey);
  const named = request.peers.length > 0 ? request.peers : known;
  const connected = request.peers.length > 0 ? [] : added;
  const given = token?.addresses.filter((text) => isRead(text, parseTarget)) ?? [];
  const targets = distinct([...named, ...given]);
  const identity = await loadOrCreateIdentity(request.stateDir);
  const addresses = await planAddresses(settings, network);
  const ring = await loadRing(request, addresses.range);
  await Promise.all([
    network === stored ? undefined : saveNetwork(request.stateDir, network),
    files.launch.write(() => ({ ...earlier, ...request.settings })),
    files.targets.write(() => ({ targets, connected })),
  ]);
  const resumed = stored !== undefined;
  return { identity, network, settings, targets, connected, resumed, trust, files, addresses, ring };
}

function decideNetwork(stored: Network | undefined, asked: Network | undefined, stateDir: string): Network {
  if (stored === undefined) return asked ?? newNetwork();
  if (asked === undefined) return stored;
  if (asked.id === stored.id && hex(asked.admin) === hex(stored.admin)) {
    // We were away while the secret was replaced, or trust was reset; or the token is older than what we know.
    if (!isLater(asked, stored)) return stored;
    const { secrets, generation, epoch } = asked;
    return { ...stored, secrets, generation, epoch };
  }
  throw new WeftError(
    'other-network',
    `this router belongs to the network ${stored.id} already, not to ${asked.id}: \`weft reset\` makes it leave, then launch again; or give another --state-dir (this one is ${stateDir})`,
  );
}

/** A network with an administrator: a new one, or that of an earlier launch. Who joins one by a token need not say so. */
async function ruledNetwork(
  stored: Network | undefined,
  asked: Network | undefined,
  keyPath: string,
): Promise<Network> {
  if (asked !== undefined) {
    throw new WeftError('bad-launch', 'a network gets an administrator when it is made: leave --admin out');
  }
  if (stored === undefined) return newNetwork((await loadOrCreateKeyPair(keyPath)).publicKey);
  if (stored.admin !== undefined) return stored;
  throw new WeftError(
    'no-administrator',
    'the network of this host was made without an administrator: leave --admin out, or make another network after `weft reset`',
  );
}

function hex(key: Uint8Array | undefined): string {
  return key === undefined ? '' : Buffer.from(key).toString('hex');
}

function isRead(text: string, parse: (text: string) => unknown): boolean {
  try {
    parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Targets are the same when host and port are. */
function distinct(targets: readonly string[]): string[] {
  const canonical = (target: string) => formatHostPort(parseHostPort(target));
  return [...new Map(targets.map((target) => [canonical(target), target])).values()];
}
