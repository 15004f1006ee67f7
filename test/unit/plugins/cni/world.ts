/** The CNI plugin on a host in memory, and a runtime that calls it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import type { CniCall } from '../../../../src/api/index.js';
import { stateFiles } from '../../../../src/daemon/state/index.js';
import { CniPlugin } from '../../../../src/plugins/cni/index.js';
import { MemoryHost } from '../memory-host.js';

/** A network configuration, as a runtime makes it of a configuration list. */
export const CONFIGURATION = { cniVersion: '1.0.0', name: 'weft', type: 'weft-cni' };

export class World {
  readonly host = new MemoryHost();
  readonly directory = mkdtempSync(join(tmpdir(), 'weft-cni-'));
  readonly runDir = join(this.directory, 'run');
  readonly program = join(this.directory, 'weft-cni');
  readonly failures: string[] = [];
  /** Pods that somebody asked about before they were heard. */
  readonly met: object[] = [];
  plugin = this.restarted();

  constructor() {
    mkdirSync(this.runDir);
    writeFileSync(this.program, 'the program');
  }

  /** As after a restart of the router, on the same host. */
  restarted(): CniPlugin {
    this.plugin = new CniPlugin({
      host: this.host,
      file: stateFiles(this.directory).cni,
      runDir: this.runDir,
      program: () => this.program,
      meet: async (pod) => void this.met.push(pod),
      onFailure: (what) => this.failures.push(what),
    });
    return this.plugin;
  }

  async add(containerId: string, changes: Partial<CniCall> = {}) {
    return await this.plugin.call(this.call('ADD', containerId, changes));
  }

  call(command: CniCall['command'], containerId: string, changes: Partial<CniCall> = {}): CniCall {
    const netns = `/run/netns/${containerId}`;
    return { command, containerId, netns, ifname: 'eth0', config: CONFIGURATION, ...changes };
  }

  /** The addresses that containers have, without prefix length. */
  addressesInUse(): string[] {
    const all = [...this.host.made.values()].flatMap(({ addresses }) => addresses);
    return all.map((address) => address.split('/')[0] ?? '').sort();
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
    expect([...world.host.held].sort()).toEqual(world.addressesInUse());
  });
  return () => world;
}
