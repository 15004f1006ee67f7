/** The router's memory in the state directory, apart from its identity and its network. */
import { readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import Type, { type Static, type TSchema } from 'typebox';
import writeFileAtomic from 'write-file-atomic';
import { messageOf } from '../../errors.js';
import { corruptFile, readPrivateJson, writePrivateJson } from '../../identity/index.js';
import { validator } from '../../validate.js';
import { KubernetesMemory } from './kubernetes-file.js';
import { ChosenSettings } from './launch-request.js';

const Targets = Type.Object({
  targets: Type.Array(Type.String()),
  /** Those of them that came with `weft connect`. */
  connected: Type.Optional(Type.Array(Type.String())),
});

/** What a container is called. */
const CALLED = {
  /** An engine's id of the container, else how its namespace was named. */
  id: Type.String(),
  target: Type.String(),
  /** What others may call it. */
  name: Type.Union([Type.String(), Type.Null()]),
  hostname: Type.Union([Type.String(), Type.Null()]),
  /** Others find it by its names. */
  dns: Type.Boolean(),
  /** Socket of the engine that runs it; null for namespaces and processes. */
  engine: Type.Union([Type.String(), Type.Null()]),
  /** As its engine called it when that was last asked. */
  containerName: Type.Optional(Type.String()),
  /** A user chose the name. */
  isNamed: Type.Optional(Type.Boolean()),
  /** More names by which others find it. */
  aliases: Type.Optional(Type.Array(Type.String())),
  /** What others are to know of it. */
  labels: Type.Optional(Type.Record(Type.String(), Type.String())),
};
const Called = Type.Object(CALLED);
export type Called = Static<typeof Called>;

const StoredAttachment = Type.Object({
  ...CALLED,
  inode: Type.Integer(),
  interface: Type.String(),
  network: Type.String(),
  addresses: Type.Array(Type.String()),
  /** Those among them that go to whoever announces them last. */
  floating: Type.Optional(Type.Array(Type.String())),
  multicastRoute: Type.Boolean(),
  /** More ways that lead through it. */
  routes: Type.Optional(
    Type.Array(
      Type.Object({ destination: Type.String(), gateway: Type.Union([Type.String(), Type.Null()]) }),
    ),
  ),
  mac: Type.Optional(Type.String({ pattern: '^[0-9a-f]{2}(:[0-9a-f]{2}){5}$' })),
  /** Whose the addresses are by the ring, where that is not the id. */
  holder: Type.Optional(Type.String()),
  /** Other containers in the same namespace. */
  sharers: Type.Optional(Type.Array(Called)),
  /** Who made the interface, and calls it that. */
  platform: Type.Optional(Type.Object({ name: Type.String(), endpoint: Type.String() })),
});
/** A container's interface, as it is to be again after a restart. */
export type StoredAttachment = Static<typeof StoredAttachment>;

const Attachments = Type.Object({
  /** Of the boot in which the inodes and process ids meant something. */
  bootId: Type.String(),
  attachments: Type.Array(StoredAttachment),
});

/** What this router says about networks. */
const Networks = Type.Object({
  networks: Type.Array(
    Type.Object({
      name: Type.String(),
      createdAt: Type.Integer({ minimum: 0 }),
      number: Type.Integer({ minimum: 1, maximum: 65_535 }),
      state: Type.Union([Type.Literal('removed'), Type.Literal('idle'), Type.Literal('used')]),
      subnets: Type.Array(Type.String()),
    }),
  ),
});

/** What all routers say about policies, as far as this one knows. */
const Policies = Type.Object({
  policies: Type.Array(
    Type.Object({
      key: Type.String(),
      version: Type.Integer({ minimum: 0 }),
      /** JSON; null for one that was removed. */
      text: Type.Union([Type.String(), Type.Null()]),
      /** By this router. */
      published: Type.Boolean(),
    }),
  ),
});

const StoredExposure = Type.Object({
  network: Type.String(),
  address: Type.String(),
  masquerade: Type.Boolean(),
  name: Type.Union([Type.String(), Type.Null()]),
});
/** An address of the host on a bridge, as it is to be again after a restart. */
export type StoredExposure = Static<typeof StoredExposure>;

const Exposures = Type.Object({ exposures: Type.Array(StoredExposure) });

const StoredMember = Type.Object({
  peer: Type.String({ pattern: '^[0-9a-f]{16}$' }),
  /** Of its control port. */
  addresses: Type.Array(Type.String()),
  /** Unix time in milliseconds at which a link to it was seen last. */
  linkedAt: Type.Integer(),
});
/** Where another member was. */
export type StoredMember = Static<typeof StoredMember>;

const StoredName = Type.Object({
  network: Type.Integer({ minimum: 0, maximum: 0xffff }),
  name: Type.String(),
  container: Type.String(),
  addresses: Type.Array(Type.String()),
});
/** A name that a user gave. */
export type StoredName = Static<typeof StoredName>;

/** What users added; the rest is registered again when containers are attached again. */
const Names = Type.Object({ names: Type.Array(StoredName) });

const Members = Type.Object({ members: Type.Array(StoredMember) });

const Trust = Type.Object({
  statements: Type.Array(Type.String({ pattern: '^([0-9a-f]{2})+$' })),
  /** Those among their issuers that are or were members. */
  issuers: Type.Optional(Type.Array(Type.String({ pattern: '^[0-9a-f]{16}$' }))),
});
/** What members said about each other and about the secret. */
export type StoredTrust = Static<typeof Trust>;

/** What Docker was told: `weft docker`. */
const Docker = Type.Object({
  /** The plugin socket is served. */
  enabled: Type.Boolean(),
  networks: Type.Array(
    Type.Object({
      id: Type.String(),
      name: Type.Union([Type.String(), Type.Null()]),
      chosen: Type.Union([Type.String(), Type.Null()]),
      pools: Type.Array(Type.String()),
      reserved: Type.Array(Type.String()),
    }),
  ),
  endpoints: Type.Array(
    Type.Object({
      id: Type.String(),
      network: Type.String(),
      claimed: Type.Array(Type.String()),
      sandbox: Type.Union([Type.String(), Type.Null()]),
      routed: Type.Boolean(),
    }),
  ),
  given: Type.Optional(Type.Array(Type.Object({ address: Type.String(), pool: Type.String() }))),
});

/** Where the plugin of container runtimes is installed: `weft cni`. */
const Cni = Type.Object({
  installation: Type.Union([
    Type.Object({
      binDir: Type.String(),
      confDir: Type.String(),
      name: Type.String(),
      network: Type.String(),
    }),
    Type.Null(),
  ]),
});

/** This router's vote about who shares the address ring. */
const Vote = Type.Object({
  /** How many routers elect; 0 while this one has not taken part. */
  electors: Type.Integer({ minimum: 0 }),
  /** Unix time in milliseconds at which it first took part. */
  incarnation: Type.Integer({ minimum: 0 }),
  /** As `Election.unsaved` gave it, in hexadecimal; empty before the first. */
  state: Type.String({ pattern: '^([0-9a-f]{2})*$' }),
});

/** One JSON file of the state directory. */
export class StateFile<S extends TSchema> {
  readonly #path: string;
  readonly #parse: (value: unknown) => Static<S>;
  readonly #absent: Static<S>;
  #writing: Promise<void> = Promise.resolve();
  /** A write that has not begun, and what it is to write. */
  #waiting: Promise<void> | undefined;
  #content: () => Static<S>;

  constructor(path: string, schema: S, absent: Static<S>) {
    this.#path = path;
    this.#parse = validator('file-corrupt', 'its content', schema);
    this.#absent = absent;
    this.#content = () => absent;
  }

  /** Rejects with `file-corrupt` when its content cannot be used. */
  async read(): Promise<Static<S>> {
    const stored = await readPrivateJson(this.#path);
    if (stored === undefined) return this.#absent;
    try {
      return this.#parse(stored);
    } catch (error) {
      throw corruptFile(this.#path, messageOf(error), error);
    }
  }

  /**
   * Resolves when what `content` gives is on the disk. Writes are done one after the other. Whoever asks while one is waiting shares it: the
   * newest content, asked for when it is its turn, takes the place of those before. Rejects with `disk-full` or `no-privilege`.
   */
  write(content: () => Static<S>): Promise<void> {
    this.#content = content;
    this.#waiting ??= this.#writing.then(() => {
      this.#waiting = undefined;
      return writePrivateJson(this.#path, this.#content());
    });
    this.#writing = this.#waiting.catch(() => {});
    return this.#waiting;
  }
}

/** All state files of a router. */
export function stateFiles(stateDir: string) {
  return {
    launch: new StateFile(join(stateDir, 'launch.json'), ChosenSettings, {}),
    targets: new StateFile(join(stateDir, 'targets.json'), Targets, { targets: [] }),
    members: new StateFile(join(stateDir, 'members.json'), Members, { members: [] }),
    networks: new StateFile(join(stateDir, 'networks.json'), Networks, { networks: [] }),
    policies: new StateFile(join(stateDir, 'policies.json'), Policies, { policies: [] }),
    trust: new StateFile(join(stateDir, 'trust.json'), Trust, { statements: [] }),
    names: new StateFile(join(stateDir, 'names.json'), Names, { names: [] }),
    vote: new StateFile(join(stateDir, 'vote.json'), Vote, { electors: 0, incarnation: 0, state: '' }),
    exposures: new StateFile(join(stateDir, 'exposures.json'), Exposures, { exposures: [] }),
    cni: new StateFile(join(stateDir, 'cni.json'), Cni, { installation: null }),
    kubernetes: new StateFile(join(stateDir, 'kubernetes.json'), KubernetesMemory, {
      ...{ policies: [], namespaces: {}, pods: [], routers: [] },
    }),
    docker: new StateFile(join(stateDir, 'docker.json'), Docker, {
      enabled: false,
      networks: [],
      endpoints: [],
    }),
    attachments: new StateFile(join(stateDir, 'attachments.json'), Attachments, {
      bootId: '',
      attachments: [],
    }),
  };
}
export type StateFiles = ReturnType<typeof stateFiles>;

const OURS =
  /^(identity|network|launch|targets|members|networks|policies|names|exposures|trust|attachments|addresses|vote|docker|cni|kubernetes)\.json(\.\d+)?$/;
/** It belongs to the network, which may go on without this router: a reset leaves it. */
const ADMIN = 'admin.json';
/** What a launch chooses, and would choose again. */
const CHOSEN: readonly string[] = ['launch.json', 'targets.json'];
const DECIDED: readonly string[] = ['network.json', ...CHOSEN];

/** Removes all that a router keeps in its state directory, and the directory if nothing else is in it. */
export async function removeState(stateDir: string): Promise<void> {
  await removeFiles(stateDir, (name) => OURS.test(name));
}

/**
 * Remembers what is there. The function that it gives puts that back: what a launch chooses is again what it was. Of a router
 * that is new everything is removed; of another one what it said to others in the meantime stays.
 */
export async function rememberState(stateDir: string): Promise<() => Promise<void>> {
  const present = new Set(await readdir(stateDir).catch(() => []));
  const chosen = await Promise.all(
    CHOSEN.filter((name) => present.has(name)).map(async (name) => {
      const path = join(stateDir, name);
      return { path, before: await readFile(path, 'utf8') };
    }),
  );
  return async () => {
    const isNew = !present.has('identity.json');
    const mayGo = (name: string) => (isNew ? OURS.test(name) || name === ADMIN : DECIDED.includes(name));
    await removeFiles(stateDir, (name) => mayGo(name) && !present.has(name));
    for (const { path, before } of chosen) {
      if ((await readFile(path, 'utf8')) !== before) await writeFileAtomic(path, before, { mode: 0o600 });
    }
  };
}

/** Removes these files of a directory, and the directory if it is empty then. */
export async function removeFiles(directory: string, isOurs: (name: string) => boolean): Promise<void> {
  const found = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const ours = found.filter((entry) => !entry.isDirectory() && isOurs(entry.name));
  await Promise.all(ours.map(({ name }) => rm(join(directory, name), { force: true })));
  await rmdir(directory).catch(() => {}); // not empty, or gone
}
