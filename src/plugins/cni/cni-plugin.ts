import { join } from 'node:path';
import type { CniAnswer, CniCall, CniControl, CniInstallation, CniStatus } from '../../api/index.js';
import { messageOf, WeftError } from '../../errors.js';
import { Serial } from '../../order.js';
import type { PlatformHost } from '../platform/index.js';
import { type Configuration, parseConfiguration } from './configuration.js';
import { failureOf } from './failures.js';
import { areThere, filesOf, putFiles, removeFiles } from './installation.js';
import { Interfaces } from './interfaces.js';
import { Removals } from './removals.js';
import { addressesIn, resultOf } from './result.js';
import { type CniVersion, isSince } from './versions.js';
import { interfaceId, type NamedPod, placeOf, podOf, wishOf } from './wishes.js';

/** Below the run directory: where `weft-cni` notes what is to be removed. */
const REMOVALS = 'cni-removals';

/** What is on the disk. */
export interface CniFile {
  read(): Promise<{ readonly installation: CniInstallation | null }>;
  write(content: () => { readonly installation: CniInstallation | null }): Promise<void>;
}

export interface CniPluginOptions {
  readonly host: PlatformHost;
  readonly file: CniFile;
  readonly runDir: string;
  /** Path of `weft-cni`; throws `program-missing` where there is none. */
  readonly program: () => string;
  /** Resolves once as much as can be waited for is known of a pod that is about to be heard. */
  readonly meet: (pod: NamedPod) => Promise<void>;
  readonly onFailure: (what: string, error: unknown) => void;
}

/** Weft as network plugin of container runtimes: what `weft-cni`, which they run, asks it for. */
export class CniPlugin implements CniControl {
  readonly #options: CniPluginOptions;
  readonly #interfaces: Interfaces;
  readonly #removals: Removals;
  readonly #installing = new Serial();
  #installation: CniInstallation | null = null;
  #fault: string | null = null;

  constructor(options: CniPluginOptions) {
    const { host, runDir, onFailure } = options;
    this.#options = options;
    this.#interfaces = new Interfaces(host);
    this.#removals = new Removals({
      directory: join(runDir, REMOVALS),
      remove: (id) => this.#interfaces.remove(id),
      onFailure,
    });
  }

  /** Once the attachments of earlier runs are known, and before anybody calls. */
  async start(): Promise<void> {
    this.#installation = (await this.#options.file.read()).installation;
    await this.#removals.settle();
    await this.#interfaces.settle();
    await this.#installing.run(() => this.#putBack({ isOld: true }));
  }

  /** Looks after what is noted, and after the files of the installation. To be called again and again. */
  async check(): Promise<void> {
    await this.#removals.settle();
    await this.#interfaces.settle();
    await this.#installing.run(() => this.#putBack({ isOld: false }));
  }

  async call(call: CniCall): Promise<CniAnswer> {
    try {
      return { result: await this.#verb(call, parseConfiguration(call.config)) };
    } catch (error) {
      if (!(error instanceof WeftError)) this.#options.onFailure(`CNI's ${call.command} failed`, error);
      return { error: failureOf(error) };
    }
  }

  status(): CniStatus {
    const installation = this.#installation;
    return {
      installation,
      files: installation === null ? [] : Object.values(filesOf(installation)),
      interfaces: this.#interfaces.list().size,
      fault: this.#fault,
    };
  }

  async install(installation: CniInstallation): Promise<CniStatus> {
    const { host, file } = this.#options;
    host.networks.subnets(installation.network); // throws for one that is not there
    await this.#installing.run(async () => {
      const former = this.#installation;
      await this.#put(installation, { isNew: true });
      await file.write(() => ({ installation }));
      this.#installation = installation;
      this.#fault = null;
      if (former !== null) await removeFiles(former, installation);
    });
    return this.status();
  }

  async uninstall(): Promise<CniStatus> {
    const before = this.status();
    await this.#installing.run(async () => {
      const installation = this.#installation;
      if (installation === null) return;
      await this.#options.file.write(() => ({ installation: null }));
      this.#installation = null;
      this.#fault = null;
      await removeFiles(installation);
    });
    return before;
  }

  async #verb(call: CniCall, configuration: Configuration): Promise<Record<string, unknown> | null> {
    switch (call.command) {
      case 'ADD':
        return await this.#add(call, configuration);
      case 'DEL':
        return await this.#remove(call, configuration);
      case 'CHECK':
        return await this.#check(call, configuration);
      case 'GC':
        return await this.#collect(configuration);
      default:
        return this.#ready(configuration);
    }
  }

  async #add(call: CniCall, configuration: Configuration): Promise<Record<string, unknown>> {
    const { networks } = this.#options.host;
    await this.#removals.settle();
    const wish = wishOf(call, configuration);
    const pod = podOf(call);
    if (pod !== undefined) await this.#options.meet(pod);
    const made = await this.#interfaces.add(wish);
    const { namespace: sandbox, interface: inside } = wish.place;
    return resultOf(made, { configuration, sandbox, inside, networks });
  }

  async #remove(call: CniCall, { name }: Configuration): Promise<null> {
    const { container, inside } = placeOf(call);
    await this.#interfaces.remove(interfaceId(name, container, inside));
    return null;
  }

  async #check(call: CniCall, { cniVersion, name, prevResult }: Configuration): Promise<null> {
    checkSince('CHECK', cniVersion, '0.4.0');
    if (prevResult === undefined) throw new WeftError('bad-cni-config', 'CHECK needs the prevResult of ADD');
    const { container, inside } = placeOf(call);
    const id = interfaceId(name, container, inside);
    const flaws = await this.#interfaces.flaws(id);
    const known = this.#interfaces.list().get(id) ?? [];
    const lost = addressesIn(prevResult, inside).filter((address) => !known.includes(address));
    const faults = [...flaws, ...lost.map((address) => `it has ${address} no more`)];
    if (faults.length > 0) throw new WeftError('cni-changed', `${container}: ${faults.join(', ')}`);
    return null;
  }

  async #collect(configuration: Configuration): Promise<null> {
    const { cniVersion, name } = configuration;
    checkSince('GC', cniVersion, '1.1.0');
    const valid = configuration['cni.dev/valid-attachments'] ?? configuration['cni.dev/attachments'];
    if (valid === undefined) {
      throw new WeftError('bad-cni-config', 'GC needs cni.dev/valid-attachments: what is to stay');
    }
    const stay = new Set(valid.map(({ containerID, ifname }) => interfaceId(name, containerID, ifname)));
    const ours = [...this.#interfaces.list().keys()].filter((id) => id.startsWith(`${name} `));
    const removed = ours.filter((id) => !stay.has(id)).map((id) => this.#interfaces.remove(id));
    const failed = (await Promise.allSettled(removed)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
    return null;
  }

  #ready({ cniVersion, network }: Configuration): null {
    checkSince('STATUS', cniVersion, '1.1.0');
    const { addresses, networks } = this.#options.host;
    networks.subnets(network); // throws for one that is not there
    const obstacle = addresses.obstacle();
    if (obstacle !== null) throw new WeftError('cni-not-ready', obstacle);
    return null;
  }

  /** `isOld`: what is there may be of another version of weft. A failure is told once. */
  async #putBack({ isOld }: { readonly isOld: boolean }): Promise<void> {
    const installation = this.#installation;
    if (installation === null || (!isOld && (await areThere(installation)))) return;
    try {
      await this.#put(installation, { isNew: false });
      this.#fault = null;
    } catch (error) {
      if (this.#fault === messageOf(error)) return;
      this.#fault = messageOf(error);
      this.#options.onFailure('container runtimes do not find weft', error);
    }
  }

  async #put(installation: CniInstallation, { isNew }: { readonly isNew: boolean }): Promise<void> {
    const { program, runDir } = this.#options;
    await putFiles(installation, { source: program(), runDir, isNew });
  }
}

function checkSince(verb: string, version: CniVersion, first: CniVersion): void {
  if (isSince(version, first)) return;
  throw new WeftError('cni-version', `${verb} came with version ${first} of CNI, and this is ${version}`);
}
