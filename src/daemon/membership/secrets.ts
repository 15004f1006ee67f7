import c from 'compact-encoding';
import { OwnedRecords } from '../../gossip/index.js';
import {
  type Identity,
  liveSecrets,
  type Network,
  type PeerId,
  saveNetwork,
  withSecret,
  withTrustReset,
} from '../../identity/index.js';
import type { MemberView, Mesh } from '../../mesh/index.js';
import type { Overlay } from '../../overlay/index.js';
import type { Statements } from '../../trust/index.js';
import type { Log } from '../logging/index.js';

const CONFIRMED_KEY = 'generation';

/** Where secrets are used. */
export interface SecretUsers {
  readonly mesh: Pick<Mesh, 'member' | 'members' | 'on' | 'openChannel' | 'setSecrets' | 'startOver'>;
  readonly overlay: Pick<Overlay, 'setSecrets'>;
}

export interface SecretsOptions {
  readonly identity: Identity;
  readonly network: Network;
  readonly stateDir: string;
  readonly log: Log;
  /** Somebody confirmed a secret, or need not any more. */
  readonly onConfirmed: () => void;
}

/** The secrets that are good now, on the disk and wherever they are used, and who has confirmed the newest. */
export class Secrets {
  readonly #options: SecretsOptions;
  /** The generation of the secret that each router has on its disk. */
  readonly #confirmed: OwnedRecords<number>;
  #network: Network;
  #users: SecretUsers | undefined;

  constructor(options: SecretsOptions) {
    this.#options = options;
    this.#network = options.network;
    this.#confirmed = new OwnedRecords({
      name: 'secret',
      identity: options.identity,
      now: Date.now,
      value: c.uint,
      admits: (peer) => this.#users?.mesh.member(peer)?.left === false,
    });
  }

  get network(): Network {
    return this.#network;
  }

  /** From now on they are told to these. */
  async start(users: SecretUsers, statements: Statements): Promise<void> {
    const { onConfirmed } = this.#options;
    this.#users = users;
    const { mesh } = users;
    await this.follow(statements);
    const confirmations = mesh.openChannel(this.#confirmed);
    this.#confirmed.on('pending', () => confirmations.changed());
    this.#confirmed.on('change', onConfirmed);
    mesh.on('member', ({ peer, left }) => {
      if (left) this.#confirmed.dropOwner(peer);
      onConfirmed();
    });
    mesh.on('forgotten', (peer) => {
      this.#confirmed.dropOwner(peer);
      onConfirmed();
    });
  }

  /** Members that may know only the old secret. */
  waiting(): readonly MemberView[] {
    const { generation } = this.#network;
    const knows = (peer: PeerId) => (this.#confirmed.get(peer, CONFIRMED_KEY) ?? 0) >= generation;
    const members = this.#users?.mesh.members() ?? [];
    return members.filter(({ peer, self, left }) => !self && !left && !knows(peer));
  }

  /** Writes what is known already once more: whoever is about to say something learns whether the disk takes it. */
  save(): Promise<void> {
    return saveNetwork(this.#options.stateDir, this.#network);
  }

  /** Brings the secrets to what was announced, one generation after the other, and says that they are there. */
  async follow(statements: Statements): Promise<void> {
    if (this.#network.mode === 'password') return; // only people can replace it
    while (await this.#step(statements)) {}
    if (this.#network.generation > 0) this.#confirmed.set(CONFIRMED_KEY, this.#network.generation);
  }

  /** Puts a secret that nobody knows into the place of all others, and forgets all other members. */
  async startOver(): Promise<void> {
    const network = withTrustReset(this.#network);
    await saveNetwork(this.#options.stateDir, network);
    this.#network = network;
    this.#confirmed.remove(CONFIRMED_KEY);
    const live = liveSecrets(network);
    this.#users?.overlay.setSecrets(live);
    this.#users?.mesh.startOver(live);
    this.#options.log.warn('trust was reset: the network begins anew with this router', {
      epoch: network.epoch,
    });
  }

  /** True when the secrets changed. */
  async #step(statements: Statements): Promise<boolean> {
    const before = this.#network;
    const current = { generation: before.generation, secret: before.secrets[0] };
    const newest = statements.rotation(current)?.content ?? current;
    const only = statements.isFinished(newest.generation);
    const network = withSecret(before, { ...newest, only });
    if (JSON.stringify(network) === JSON.stringify(before)) return false;
    await this.#use(network);
    const { generation, secrets } = network;
    const news = secrets.length > 1 ? 'the network has a new secret' : 'the old secret is good no more';
    this.#options.log.info(news, { generation });
    return true;
  }

  /** On the disk first. */
  async #use(network: Network): Promise<void> {
    await saveNetwork(this.#options.stateDir, network);
    this.#network = network;
    const live = liveSecrets(network);
    this.#users?.mesh.setSecrets(live);
    this.#users?.overlay.setSecrets(live);
  }
}
