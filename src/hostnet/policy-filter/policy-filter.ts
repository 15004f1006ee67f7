import { Serial } from '../../order.js';
import type { RuleSet } from '../../policy/index.js';
import { CommandFailed, run } from '../kernel/index.js';
import { nft, unlessRefused } from '../packet-filter/index.js';
import { baseTable } from './base-table.js';
import { type Contents, contentsOf, EMPTY } from './contents.js';
import {
  DENIAL_REASONS,
  type Denial,
  type Denied,
  denialSets,
  denialsOf,
  deniedOf,
  NOTHING_DENIED,
} from './denials.js';
import { difference } from './difference.js';

/**
 * The bridges' part in policies: one nftables table of our own (bridge family, `weft-BRIDGE-policy`), which sees each frame on its way from one port to
 * another, and between a port and the host. Every change is one transaction, and says only what differs: what flows are alive the table knows by itself,
 * and keeps.
 */
export class PolicyFilter {
  readonly #table: string;
  readonly #server: string;
  readonly #work = new Serial();
  /** What the table has, as far as we know; undefined: there is no table. */
  #written: Contents | undefined;
  /** The table without what changes by itself, as the kernel listed it after we had written it. */
  #listed: string | undefined;

  /** `server`: MAC of the DNS server of the host. */
  constructor(bridge: string, server: string) {
    this.#table = tableOf(bridge);
    this.#server = server;
  }

  /** There is a table of ours. */
  get isWritten(): boolean {
    return this.#written !== undefined;
  }

  /** Brings these rules into force; `host` are the addresses of the host itself. Rejects when the kernel or nft cannot do this. */
  apply(rules: RuleSet, host: readonly string[]): Promise<void> {
    const wanted = contentsOf(rules, host);
    return this.#work.run(async () => {
      if (this.#written === undefined) return await this.#writeAll(wanted);
      const lines = difference(this.#table, this.#written, wanted);
      if (lines.length === 0) return;
      try {
        await nft(lines);
      } catch (error) {
        if (!(error instanceof CommandFailed)) throw error;
        return await this.#writeAll(wanted); // somebody removed something that we know of
      }
      this.#written = wanted;
      this.#listed = undefined;
    });
  }

  /** Makes the table again when somebody changed or removed it; true when that was so. */
  mend(): Promise<boolean> {
    return this.#work.run(async () => {
      const written = this.#written;
      if (written === undefined) return false;
      const found = await this.#list();
      this.#listed ??= found;
      if (found !== undefined && found === this.#listed) return false;
      await this.#writeAll(written);
      return true;
    });
  }

  /** Since the table was made. */
  denied(): Promise<Denied> {
    return this.#work.run(async () =>
      this.#written === undefined
        ? NOTHING_DENIED
        : deniedOf(await this.#json('counters', 'table', 'bridge', this.#table)),
    );
  }

  /** What was denied lately. */
  denials(): Promise<Denial[]> {
    return this.#work.run(async () => {
      if (this.#written === undefined) return [];
      const found: Denial[] = [];
      for (const reason of DENIAL_REASONS) {
        for (const set of denialSets(reason)) {
          found.push(...denialsOf(reason, await this.#json('set', 'bridge', this.#table, set)));
        }
      }
      return found;
    });
  }

  /** Removes the table. */
  drop(): Promise<void> {
    return this.#work.run(async () => {
      this.#written = undefined;
      await nft(removal(this.#table));
    });
  }

  async #writeAll(wanted: Contents): Promise<void> {
    const table = this.#table;
    await nft([...removal(table), baseTable(table, this.#server), ...difference(table, EMPTY, wanted)]);
    this.#written = wanted;
    this.#listed = undefined;
  }

  async #json(...what: string[]): Promise<string> {
    return await run('nft', ['--json', 'list', ...what]);
  }

  async #list(): Promise<string | undefined> {
    const args = ['--stateless', '--terse', 'list', 'table', 'bridge', this.#table];
    return await run('nft', args).catch(unlessRefused);
  }
}

/** Removes what a filter that is no more left behind. */
export async function removePolicyFilter(bridge: string): Promise<void> {
  await nft(removal(tableOf(bridge)));
}

function tableOf(bridge: string): string {
  return `weft-${bridge}-policy`;
}

/** Also of one that is not there. */
function removal(table: string): string[] {
  return [`table bridge ${table}`, `delete table bridge ${table}`];
}
