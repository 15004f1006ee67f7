import { WeftError } from '../../../errors.js';

/** What a user gave with `-o`. */
export const GENERIC = 'com.docker.network.generic';
const MTU = 'com.docker.network.driver.mtu';
/** What weft calls the network. */
export const NETWORK = 'weft.network';
/** What Docker says by itself of a container's end of a network, more with each version. */
const OF_DOCKER = 'com.docker.';

type Options = Readonly<Record<string, unknown>> | null | undefined;

/** What a user chose for a network. */
export interface NetworkOptions {
  /** Of weft; null: none was chosen. */
  readonly chosen: string | null;
}

/** Throws `bad-option`; `mtu`: of all weft networks of this host. */
export function networkOptions(options: Options, mtu: number): NetworkOptions {
  const generic = options?.[GENERIC] ?? {};
  if (typeof generic !== 'object') throw new WeftError('bad-option', `${GENERIC} is no list of options`);
  const given = Object.entries(generic);
  for (const [key, value] of given) checkNetworkOption(key, String(value), mtu);
  const [, chosen] = given.find(([key]) => key === NETWORK) ?? [];
  return { chosen: chosen === undefined ? null : String(chosen) };
}

function checkNetworkOption(key: string, value: string, mtu: number): void {
  if (key === NETWORK) {
    if (value !== '') return;
    throw new WeftError('bad-option', `-o ${NETWORK} has no value: give the name of a weft network`);
  }
  if (key !== MTU) {
    throw new WeftError(
      'bad-option',
      `weft knows no option "${shown(key)}" of a network: it takes ${NETWORK}=NAME`,
    );
  }
  if (value === String(mtu)) return;
  throw new WeftError(
    'bad-option',
    `all weft networks of this host have an MTU of ${mtu}: leave ${MTU} out, or choose another one with \`weft launch --mtu\``,
  );
}

/** Throws `bad-option` for what a user gave with `--driver-opt`: weft knows none. */
export function checkEndpointOptions(options: Options): void {
  const unknown = Object.keys(options ?? {}).find((key) => !key.startsWith(OF_DOCKER));
  if (unknown === undefined) return;
  throw new WeftError('bad-option', `weft knows no --driver-opt "${shown(unknown)}": leave it out`);
}

function shown(key: string): string {
  return key.slice(0, 64);
}
