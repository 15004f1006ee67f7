/** A host without a kernel: what attachments take of it, kept in memory, so that a test can see it and break it. */
import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import type { Fate, Found } from '../../../../src/daemon/attachments/containers.js';
import { Attachments, type AttachmentsOptions } from '../../../../src/daemon/attachments/index.js';
import type { AttachmentPlumbing } from '../../../../src/daemon/attachments/plumbing.js';
import { stateFiles } from '../../../../src/daemon/state/index.js';
import { WeftError } from '../../../../src/errors.js';
import { hostEnd } from '../../../../src/hostnet/index.js';
import type { HostEnd } from '../../../../src/hostnet/segment/bridge.js';

const OWNER = '00112233445566aa';
const BRIDGE = 'weft';

/** Interfaces by the name of the host's end: what the kernel would have. */
export class Kernel implements AttachmentPlumbing {
  readonly ends = new Map<string, HostEnd & { mac: string; addresses: string[] }>();
  /** Loose ends that nobody has moved. */
  readonly waiting = new Set<string>();
  /** Names of interfaces in namespaces, by inode and MAC. */
  readonly moved = new Map<string, string>();
  boot = 'first boot';
  /** Thrown by the next attempt to attach, once. */
  failure: Error | undefined;

  readonly attach: AttachmentPlumbing['attach'] = async (options) => {
    const { port: name, bridge, mtu, namespace, interface: inside, cidrs, onReady } = options;
    const { failure } = this;
    this.failure = undefined;
    if (failure !== undefined) throw failure;
    const mac = options.newMac ?? options.mac;
    const addresses = cidrs.map(({ text }) => text);
    this.ends.set(name, { bridge, mtu, isIsolated: false, mac, addresses });
    this.moved.set(`${namespace.inode} ${mac}`, inside);
    await onReady?.(mac);
    return { interface: inside, mac, addresses };
  };
  readonly ensureLoosePair: AttachmentPlumbing['ensureLoosePair'] = async (options) => {
    const { port, loose, bridge, mtu, mac } = options;
    const { failure } = this;
    this.failure = undefined;
    if (failure !== undefined) throw failure;
    this.ends.set(port, { bridge, mtu, isIsolated: false, mac, addresses: [] });
    this.waiting.add(loose);
  };
  readonly plugPort: AttachmentPlumbing['plugPort'] = async ({ port, bridge, mtu }) => {
    const end = this.ends.get(port);
    if (end !== undefined) this.ends.set(port, { ...end, bridge, mtu, isIsolated: false });
  };
  readonly interfaceWithMac: AttachmentPlumbing['interfaceWithMac'] = async ({ inode }, mac) =>
    this.moved.get(`${inode} ${mac}`);
  readonly removeLink: AttachmentPlumbing['removeLink'] = async (name) => {
    const mac = this.ends.get(name)?.mac;
    this.waiting.delete(name.replace('wv', 'wl'));
    for (const where of this.moved.keys()) if (where.endsWith(` ${mac}`)) this.moved.delete(where);
    return this.ends.delete(name);
  };
  readonly hostEnds: AttachmentPlumbing['hostEnds'] = async () => new Map(this.ends);
  readonly interfaceNames: AttachmentPlumbing['interfaceNames'] = async () =>
    new Set([...this.ends.keys(), ...this.waiting]);
  readonly interfaceMac: AttachmentPlumbing['interfaceMac'] = async ({ inode }, inside) =>
    this.ends.get(hostEnd(BRIDGE, inode, inside))?.mac;
  readonly setInterfaceMac: AttachmentPlumbing['setInterfaceMac'] = async () => {};
  readonly removeAddresses: AttachmentPlumbing['removeAddresses'] = async ({ inode }, inside, leaving) => {
    const end = this.ends.get(hostEnd(BRIDGE, inode, inside));
    if (end === undefined) return [];
    end.addresses = end.addresses.filter((text) => !leaving.some((cidr) => cidr.text === text));
    return end.addresses;
  };
  readonly inspectInterface: AttachmentPlumbing['inspectInterface'] = async ({ inode }, inside) => {
    const [where] =
      [...this.moved].find(([where, name]) => where.startsWith(`${inode} `) && name === inside) ?? [];
    const end = [...this.ends.values()].find(({ mac }) => where === `${inode} ${mac}`);
    if (end === undefined) return undefined;
    const { mac, mtu, addresses } = end;
    return { mac, mtu, isUp: true, addresses, destinations: [] };
  };
  readonly bootId: AttachmentPlumbing['bootId'] = async () => this.boot;

  /** Interfaces through which containers were given their routes. */
  readonly routed: string[] = [];
  readonly addRoutes: AttachmentPlumbing['addRoutes'] = async ({ inode }, inside) =>
    void this.routed.push(`${inode} ${inside}`);
  /** Each process is in a namespace of its own, of the same number. */
  readonly resolveNamespace: AttachmentPlumbing['resolveNamespace'] = async (target) => ({
    target,
    path: `/proc/${target}/ns/net`,
    inode: Number(target),
  });

  /** What a platform does with a loose end. */
  move(loose: string, inode: number, mac: string, inside: string): void {
    this.waiting.delete(loose);
    this.moved.set(`${inode} ${mac}`, inside);
  }

  /** Addresses of a namespace's interface; undefined when it has none. */
  addressesIn(inode: number): readonly string[] | undefined {
    return this.ends.get(hostEnd(BRIDGE, inode, 'ethweft'))?.addresses;
  }
}

type FateOfFound =
  | Exclude<Fate, { readonly state: 'running' }>
  | { readonly state: 'running'; readonly container: Found };

/** The engine and the named namespaces of a host. */
export class Platform extends EventEmitter {
  readonly #fates = new Map<string, FateOfFound>();

  runs(name: string, inode: number, more: Partial<Found> = {}): void {
    const namespace = { target: name, path: `/proc/${inode}/ns/net`, inode };
    const container = {
      id: name,
      target: name,
      name,
      hostname: null,
      engine: '/engine',
      namespace,
      labels: {},
      ...more,
    };
    this.#fates.set(name, { state: 'running', container });
  }

  stopped(name: string): void {
    this.#fates.set(name, { state: 'stopped', name });
  }

  removed(name: string): void {
    this.#fates.delete(name);
  }

  async resolve(target: string): Promise<Found> {
    const fate = this.#fates.get(target);
    if (fate?.state === 'running') return fate.container;
    throw new WeftError('no-such-container', `${target} is not there`);
  }

  async again({ id }: { readonly id: string }): Promise<Fate> {
    return this.#fates.get(id) ?? { state: 'gone' };
  }
}

/** Addresses 10.32.0.1, .2, … : who has which. */
export class Pool {
  readonly taken = new Map<string, string>();
  #next = 0;

  readonly take: AttachmentsOptions['addresses']['take'] = async ({ id }, requests) =>
    requests.map((request) => {
      const cidr = request.kind === 'fixed' ? request.cidr : `10.32.0.${++this.#next}/12`;
      this.taken.set(cidr, id);
      return cidr;
    });
  readonly release: AttachmentsOptions['addresses']['release'] = async (_holder, addresses) => {
    for (const address of addresses) this.taken.delete(address);
  };
  readonly reclaim: AttachmentsOptions['addresses']['reclaim'] = ({ id }, _target, addresses) => {
    for (const address of addresses) this.taken.set(address, id);
  };
  readonly meant: AttachmentsOptions['addresses']['meant'] = (request, _network, addresses) =>
    request.kind === 'fixed' ? addresses.filter((address) => address === request.cidr) : addresses;
}

export class World {
  readonly kernel = new Kernel();
  readonly platform = new Platform();
  readonly pool = new Pool();
  readonly directory = mkdtempSync(join(tmpdir(), 'weft-attachments-'));
  readonly failures: string[] = [];
  /** What is kept from others, by MAC. */
  readonly kept = new Map<string, Parameters<AttachmentsOptions['custody']['put']>[0]>();
  readonly custody: AttachmentsOptions['custody'] = {
    put: (given) => void this.kept.set(given.mac, given),
    remove: (_network, mac) => void this.kept.delete(mac),
    settle: async () => {},
  };
  readonly networks = Object.assign(new EventEmitter(), {
    bridge: () => BRIDGE,
    number: () => 0,
    numberOf: () => 0,
    segment: async () => ({ bridge: BRIDGE, number: 0 }),
    settle: () => {},
  }) as unknown as AttachmentsOptions['networks'];

  /** A router's attachments, as after a start: before `restore`. */
  start(options: Partial<AttachmentsOptions> = {}): Attachments {
    return new Attachments({
      owner: OWNER as AttachmentsOptions['owner'],
      mtu: 1418,
      file: stateFiles(this.directory).attachments,
      networks: this.networks,
      containers: this.platform as unknown as AttachmentsOptions['containers'],
      addresses: this.pool,
      host: this.kernel,
      macHolder: () => undefined,
      addressHolder: () => undefined,
      told: async () => {},
      custody: this.custody,
      onFailure: (what) => this.failures.push(what),
      ...options,
    });
  }
}

/** A host of its own for each test, on which nothing may have failed without a word. */
export function aWorldForEachTest(): () => World {
  let world: World;
  beforeEach(() => {
    world = new World();
  });
  afterEach(() => {
    rmSync(world.directory, { recursive: true });
    expect(world.failures).toEqual([]);
  });
  return () => world;
}
