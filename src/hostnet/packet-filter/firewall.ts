import { Serial } from '../../order.js';
import { run } from '../kernel/index.js';
import { admitInDocker } from './docker-user.js';
import { forwardPackets } from './forwarding.js';
import { nft, unlessRefused } from './nft.js';
import type { HairpinPort, Passage } from './passage.js';
import { hairpinTable, tableOf } from './tables.js';

/**
 * The packet filter's part in weft: one nftables table of our own (`weft-BRIDGE`), and, where Docker drops what is forwarded, rules in the
 * chain that Docker keeps for others (`DOCKER-USER`), marked by a comment: an accept in one table does not help against a drop in another.
 */
export class Firewall {
  readonly #table: string;
  readonly #tables = new Map<Family, Written>();
  #looks = 0;
  readonly #work = new Serial();

  constructor(bridge: string) {
    this.#table = `weft-${bridge}`;
  }

  /** Brings our rules to this state. Rejects with `command-missing` when nft is not there. */
  apply(passage: Passage): Promise<void> {
    const { exposed } = passage;
    return this.#work.run(async () => {
      await forwardPackets(exposed);
      await this.#write('inet', exposed.length === 0 ? undefined : tableOf(this.#table, exposed));
      await admitInDocker(this.#table, passage);
    });
  }

  /** Has these ports return to a container only what is for itself; must be so before they are switched to hairpin mode. */
  guardHairpins(ports: readonly HairpinPort[]): Promise<void> {
    return this.#work.run(() =>
      this.#write('bridge', ports.length === 0 ? undefined : hairpinTable(this.#table, ports)),
    );
  }

  /**
   * False when somebody changed or removed one of our tables since we wrote them. Each takes a command: who asks every two seconds is told
   * about that of the bridges, on which less depends, every other time.
   */
  isIntact(): Promise<boolean> {
    return this.#work.run(async () => {
      this.#looks += 1;
      const looked = [...this.#tables].filter(([family]) => family === 'inet' || this.#looks % 2 === 0);
      const now = await Promise.all(looked.map(([family]) => this.#list(family)));
      return looked.every(([, { listed }], i) => now[i] === listed);
    });
  }

  /** Writes our tables again as they were. */
  rewrite(): Promise<void> {
    return this.#work.run(async () => {
      for (const [family, { text }] of [...this.#tables]) await this.#replace(family, text);
    });
  }

  /** Lets our packets pass Docker's chain, if there is one. */
  admit(passage: Passage): Promise<void> {
    return this.#work.run(() => admitInDocker(this.#table, passage));
  }

  /** Removes all of our rules. */
  remove(): Promise<void> {
    return this.#work.run(async () => {
      await admitInDocker(this.#table, { bridges: [], exposed: [] });
      await nft(this.#removal('inet'));
      await nft(this.#removal('bridge')).catch(unlessRefused); // by a kernel without that family
      this.#tables.clear();
    });
  }

  /** Has our table of this family say this, or not be there. */
  async #write(family: Family, text: string | undefined): Promise<void> {
    if (this.#tables.get(family)?.text !== text) await this.#replace(family, text);
  }

  async #replace(family: Family, text: string | undefined): Promise<void> {
    await nft([...this.#removal(family), ...(text === undefined ? [] : [text])]);
    if (text === undefined) this.#tables.delete(family);
    else this.#tables.set(family, { text, listed: await this.#list(family) });
  }

  /** Also of one that is not there. */
  #removal(family: Family): string[] {
    return [`table ${family} ${this.#table}`, `delete table ${family} ${this.#table}`];
  }

  async #list(family: Family): Promise<string | undefined> {
    return await run('nft', ['--stateless', 'list', 'table', family, this.#table]).catch(unlessRefused);
  }
}

/** One of our tables: as we wrote it last, and as the kernel lists it since then. */
interface Written {
  readonly text: string;
  readonly listed: string | undefined;
}

type Family = 'inet' | 'bridge';
