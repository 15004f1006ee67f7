import Type, { type Static } from 'typebox';
import { validator } from '../../validate.js';
import { CommandFailed, isAbsent, run } from '../kernel/index.js';

/** Where frames for a MAC go: to the VXLAN device of another router. */
export interface Remote {
  readonly address: string;
  readonly port: number;
}

/** What a VXLAN device and its bridge do with frames, by MAC. */
export interface Stations {
  /** Behind which router each is: of use once the bridge gives the device a frame for it. */
  readonly behind: ReadonlyMap<string, Remote>;
  /** Those of which the bridge gives frames to the device, in place of the TAP. */
  readonly taken: ReadonlySet<string>;
}

const REMOVAL = 'fdb del ';

const Entries = Type.Array(
  Type.Object({
    mac: Type.String(),
    dst: Type.Optional(Type.String()),
    port: Type.Optional(Type.Integer()),
    flags: Type.Array(Type.String()),
    master: Type.Optional(Type.String()),
  }),
);
const parseEntries = validator('ip-output', 'the output of bridge fdb', Entries);

/** What is there now of a device that listens at this port; undefined when there is no such device. */
export async function stationsOf(device: string, port: number): Promise<Stations | undefined> {
  const entries = await entriesOf(device);
  return (
    entries && {
      behind: new Map(
        entries.flatMap(({ mac, dst, port: chosen = port, flags }) =>
          flags.includes('self') && dst !== undefined ? [[mac, { address: dst, port: chosen }]] : [],
        ),
      ),
      taken: new Set(takenOf(entries)),
    }
  );
}

/** Has the bridge give no more frames to a device. */
export async function releaseStations(device: string): Promise<void> {
  const taken = takenOf((await entriesOf(device)) ?? []);
  await change(taken.map((mac) => release(mac, device)));
}

async function entriesOf(device: string): Promise<Static<typeof Entries> | undefined> {
  const output = await run('bridge', ['-json', 'fdb', 'show', 'dev', device]).catch((error: unknown) => {
    if (isAbsent(error)) return undefined;
    throw error;
  });
  return output === undefined ? undefined : parseEntries(JSON.parse(output));
}

/** Of its own MAC the bridge has an entry, too, which is not sticky. */
function takenOf(entries: Static<typeof Entries>): string[] {
  return entries.flatMap(({ mac, flags }) => (flags.includes('sticky') ? mac : []));
}

function release(mac: string, device: string): string {
  return `${REMOVAL}${mac} dev ${device} master`;
}

/** Commands of `bridge` that make what is wanted of what is there. No frame goes to the device before it knows where to. */
export function changesOf(device: string, there: Stations, wanted: Stations): string[] {
  const isBehind = (mac: string, { address, port }: Remote) => {
    const found = there.behind.get(mac);
    return found?.address === address && found.port === port;
  };
  return [
    ...[...there.taken].filter((mac) => !wanted.taken.has(mac)).map((mac) => release(mac, device)),
    ...[...there.behind.keys()]
      .filter((mac) => !wanted.behind.has(mac))
      .map((mac) => `${REMOVAL}${mac} dev ${device} self`),
    ...[...wanted.behind]
      .filter(([mac, remote]) => !isBehind(mac, remote))
      .map(
        ([mac, { address, port }]) =>
          `fdb replace ${mac} dev ${device} dst ${address} port ${port} self permanent`,
      ),
    // It does not move to the TAP when a broadcast of that MAC comes from there.
    ...[...wanted.taken]
      .filter((mac) => !there.taken.has(mac))
      .map((mac) => `fdb replace ${mac} dev ${device} master static sticky`),
  ];
}

/** Runs them. What was gone already when it was to be removed is no failure, nor is a device that is gone. Rejects with a CommandFailed. */
export async function change(commands: readonly string[]): Promise<void> {
  const removals = commands.filter((command) => command.startsWith(REMOVAL));
  const additions = commands.filter((command) => !command.startsWith(REMOVAL));
  await batch(removals).catch((error: unknown) => {
    if (!(error instanceof CommandFailed)) throw error;
  });
  await batch(additions).catch((error: unknown) => {
    if (!isAbsent(error)) throw error;
  });
}

async function batch(commands: readonly string[]): Promise<void> {
  if (commands.length > 0) await run('bridge', ['-force', '-batch', '-'], `${commands.join('\n')}\n`);
}
