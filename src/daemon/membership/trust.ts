import type {
  Peer,
  RotateRequest,
  Rotation,
  TrustControl,
  Verdict,
  VerdictRequest,
} from '../../api/index.js';
import { WeftError } from '../../errors.js';
import {
  type Identity,
  isPeerId,
  type Network,
  newSecret,
  type PeerId,
  parsePeerId,
} from '../../identity/index.js';
import type { MemberView, Mesh } from '../../mesh/index.js';
import type { Overlay } from '../../overlay/index.js';
import {
  type Content,
  MAX_GENERATION,
  MAX_REMOVED_INCARNATION,
  type Removed,
  type Revoked,
  type Statement,
  Statements,
} from '../../trust/index.js';
import { errorFields, type Log } from '../logging/index.js';
import type { StateFiles, StoredTrust } from '../state/index.js';
import { memberNamed } from './peer-names.js';
import { Secrets } from './secrets.js';
import { signerIn } from './signer.js';

/** What trust is enforced on. */
export type TrustMesh = Pick<
  Mesh,
  'member' | 'members' | 'on' | 'openChannel' | 'reachable' | 'remove' | 'setSecrets' | 'startOver'
>;

export interface TrustOptions {
  readonly identity: Identity;
  readonly network: Network;
  /** What members said before. */
  readonly stored: StoredTrust;
  readonly file: StateFiles['trust'];
  readonly stateDir: string;
  readonly log: Log;
}

/** Enforces what members say about each other and about the secret, and lets the user say it. */
export class Trust implements TrustControl {
  readonly #options: TrustOptions;
  readonly #statements: Statements;
  readonly #secrets: Secrets;
  /** Unix time, ms. */
  readonly #began = Date.now();
  #mesh: TrustMesh | undefined;
  /** Statements are stored and enforced one after the other. */
  #work: Promise<void> = Promise.resolve();
  /** Rejects when the last one could not be stored. */
  #enforced: Promise<void> = Promise.resolve();
  /** Those that are to be enforced next, together. */
  #waiting: Statement[] = [];
  /**
   * The end of the rotation that we began in this run, so that we know the members that must hear of it. It is signed at the beginning,
   * since the administrator's key is not kept.
   */
  #ending: Statement | undefined;

  constructor(options: TrustOptions) {
    this.#options = options;
    const { identity, stored } = options;
    this.#statements = new Statements({
      self: identity.peer,
      admin: options.network.admin,
      epoch: options.network.epoch,
      stored: stored.statements.map((hex) => Buffer.from(hex, 'hex')),
      issuers: (stored.issuers ?? []).map(parsePeerId),
      isMember: (peer) => this.#mesh?.member(peer) !== undefined,
    });
    this.#secrets = new Secrets({ ...options, onConfirmed: () => this.#lookForEnd() });
  }

  /** With the secrets that are good now. */
  get network(): Network {
    return this.#secrets.network;
  }

  admits(peer: PeerId, incarnation: number): boolean {
    return this.#statements.admits(peer, incarnation);
  }

  /** Enforces what is known, and what comes from now on. Before the mesh starts. */
  async start(mesh: TrustMesh, overlay: Pick<Overlay, 'setSecrets'>): Promise<void> {
    this.#mesh = mesh;
    await this.#secrets.start({ mesh, overlay }, this.#statements);
    this.#statements.on('statement', (statement) => this.#enforce(statement));
    const said = mesh.openChannel(this.#statements);
    // Nothing is said that would be forgotten in a crash.
    this.#statements.on('pending', () => void this.#work.then(() => said.changed()));
    mesh.on('member', ({ peer }) => this.#statements.meet(peer));
  }

  /** Peers that were expelled, for the list of peers. */
  revoked(): readonly Peer[] {
    return this.#statements.revocations().map(({ content: { subject, name } }) => ({
      peer: subject,
      nickname: name,
      version: '',
      self: subject === this.#options.identity.peer,
      state: 'revoked',
      endpoints: [],
      ciphers: [],
    }));
  }

  /** Rejects with `peer-alive`, `removed-already`, or as writing a file does; then nothing was said. */
  async remove({ peer: reference, adminKey }: VerdictRequest): Promise<Verdict> {
    const signer = await this.#signer(adminKey);
    const peer = this.#resolve(reference);
    const member = this.#knownMesh.member(peer);
    const earlier = this.#statements.removal(peer);
    if (earlier !== undefined && member === undefined && this.#isSeenTo(earlier))
      throw removedAlready(earlier);
    if (member?.linked || (member !== undefined && this.#knownMesh.reachable(peer))) {
      throw new WeftError(
        'peer-alive',
        `${nameOf(member)} is alive, or was seconds ago: stop it (\`weft reset\` there gives its addresses away), wait until \`weft status peers\` shows it as down, or expel it with \`weft peer revoke\``,
      );
    }
    const incarnation = member?.incarnation ?? Date.now();
    if (incarnation > MAX_REMOVED_INCARNATION) throw beyondRemoval(peer);
    const name = member?.nickname ?? '';
    const heir = this.#options.identity.peer;
    await this.#say(signer, { kind: 'removed', subject: peer, name, heir, incarnation });
    const removal = this.#statements.removal(peer);
    if (removal === undefined) throw new WeftError('not-removed', `${peer} was not removed`);
    return verdict(removal);
  }

  /** Whoever removed a peer takes over what it had; but not one that went before that was done, or was restarted meanwhile. */
  #isSeenTo({ content: { heir }, time }: Statement<Removed>): boolean {
    if (heir === this.#options.identity.peer) return time >= this.#began;
    const member = this.#knownMesh.member(heir);
    return member !== undefined && member.incarnation <= time && this.#knownMesh.reachable(heir);
  }

  async revoke({ peer: reference, adminKey }: VerdictRequest): Promise<Verdict> {
    const signer = await this.#signer(adminKey);
    const peer = this.#resolve(reference);
    // What others said about it does not do: it is theirs to lose.
    if (!this.#statements.hasRevoked(signer.publicKey, peer)) {
      const name = this.#knownMesh.member(peer)?.nickname ?? '';
      const heir = this.#options.identity.peer;
      await this.#say(signer, { kind: 'revoked', subject: peer, name, heir });
    }
    const revocation = this.#statements.revocation(peer);
    if (revocation === undefined) throw new WeftError('not-revoked', `${peer} was not expelled`);
    return verdict(revocation);
  }

  async rotate({ finish = false, resetTrust = false, adminKey }: RotateRequest): Promise<Rotation> {
    this.#refuseForPassword();
    const signer = await this.#signer(adminKey);
    if (resetTrust) await this.#startOver();
    else if (finish) await this.#finish(signer);
    else await this.#begin(signer);
    const { generation } = this.network;
    return this.rotation() ?? { generation, finished: true, waiting: [] };
  }

  rotation(): Rotation | null {
    const { generation, secrets } = this.network;
    if (secrets.length === 1) return null;
    const waiting = this.#secrets.waiting().map(({ peer, nickname }) => ({ peer, nickname }));
    return { generation, finished: false, waiting };
  }

  get #knownMesh(): TrustMesh {
    if (this.#mesh === undefined) throw new WeftError('not-running', 'the router is not started');
    return this.#mesh;
  }

  #signer(adminKey: string | undefined): Promise<Identity> {
    return signerIn(this.network, this.#options, adminKey);
  }

  async #begin(signer: Identity): Promise<void> {
    const { generation, secrets } = this.network;
    if (secrets.length > 1) {
      const names = this.#secrets.waiting().map(nameOf).join(', ') || 'nobody';
      throw new WeftError(
        'rotation-unfinished',
        `the secret is being replaced already, and ${names} did not confirm the new one yet: end that first with \`weft token rotate --finish\``,
      );
    }
    if (generation >= MAX_GENERATION) throw noMoreGenerations();
    const next = generation + 1;
    await this.#say(signer, { kind: 'rotated', generation: next, secret: newSecret() });
    this.#ending = this.#statements.sign(signer, { kind: 'finished', generation: next }, Date.now());
    await this.#finishWhenConfirmed();
  }

  /** Those that wait to be enforced are of before, and are no more. */
  async #startOver(): Promise<void> {
    this.#enforced = this.#work.then(async () => {
      await this.#secrets.startOver();
      this.#waiting = [];
      this.#ending = undefined;
      this.#statements.reset(this.network.epoch);
      await this.#store();
    });
    this.#work = this.#enforced.catch((error: unknown) => this.#warn(error));
    await this.#enforced;
  }

  #refuseForPassword(): void {
    if (this.network.mode !== 'password') return;
    throw new WeftError(
      'password-network',
      'the secret of this network is a password, which only people can replace: stop the routers and launch them with the new one after `weft reset`, or make the network anew with a token',
    );
  }

  async #finish(signer: Identity): Promise<void> {
    const { generation, secrets } = this.network;
    if (secrets.length === 1) {
      throw new WeftError('no-rotation', 'the secret is not being replaced: there is nothing to finish');
    }
    await this.#say(signer, { kind: 'finished', generation });
  }

  /** The one who began a rotation ends it when all members know the new secret. */
  async #finishWhenConfirmed(): Promise<void> {
    const ending = this.#ending;
    if (ending === undefined || this.network.secrets.length === 1 || this.#secrets.waiting().length > 0)
      return;
    await this.#tell(ending);
    if (this.#ending === ending) this.#ending = undefined;
  }

  #lookForEnd(): void {
    void this.#finishWhenConfirmed().catch((error: unknown) => this.#warn(error));
  }

  #say(signer: Identity, content: Content): Promise<void> {
    return this.#tell(this.#statements.sign(signer, content, Date.now()));
  }

  /** Resolves when it is said and enforced. On a disk that cannot take it, nothing is said. */
  async #tell(statement: Statement): Promise<void> {
    await this.#work;
    await Promise.all([this.#store(), this.#secrets.save()]);
    this.#statements.say(statement);
    await this.#enforced;
  }

  /** Those that come while others are stored are stored together: a flood costs no more than it brings. */
  #enforce(statement: Statement): void {
    this.#waiting.push(statement);
    if (this.#waiting.length > 1) return;
    this.#enforced = this.#work.then(() => this.#enforceAll());
    this.#work = this.#enforced.catch((error: unknown) => this.#warn(error));
  }

  async #enforceAll(): Promise<void> {
    const statements = this.#waiting;
    this.#waiting = [];
    await this.#store();
    for (const { content, issuer } of statements) if ('subject' in content) this.#banish(content, issuer);
    await this.#secrets.follow(this.#statements);
  }

  #warn(error: unknown): void {
    this.#options.log.error(`cannot store what members decided: ${String(error)}`, errorFields(error));
  }

  #banish(content: Removed | Revoked, by: PeerId): void {
    const { subject, kind, name, heir } = content;
    const incarnation = content.kind === 'removed' ? content.incarnation : Infinity;
    const done = kind === 'removed' ? 'removed as dead' : 'expelled';
    this.#options.log.warn(`${name} (${subject}) was ${done} by ${by}`, { peer: subject, by });
    this.#knownMesh.remove(subject, heir, { expelled: kind === 'revoked', incarnation });
  }

  #store(): Promise<void> {
    return this.#options.file.write(() => ({
      statements: this.#statements.encoded().map((bytes) => bytes.toString('hex')),
      issuers: [...this.#statements.issuers()],
    }));
  }

  /** A nickname, the beginning of an id, or the whole id of somebody who is forgotten already. */
  #resolve(name: string): PeerId {
    const members = this.#knownMesh.members();
    const id = name.toLowerCase();
    if (isPeerId(id) && !members.some((member) => member.peer === id)) return id;
    const { peer, self } = memberNamed(members, name);
    if (self)
      throw new WeftError('own-peer', 'this is the router itself: `weft reset` makes it leave for good');
    return peer;
  }
}

function removedAlready({ content, time }: Statement<Removed>): WeftError {
  const when = new Date(time).toISOString();
  return new WeftError(
    'removed-already',
    `${content.subject} was removed by ${content.heir} at ${when} already, and that one took over what it had`,
  );
}

function beyondRemoval(peer: PeerId): WeftError {
  return new WeftError(
    'not-removed',
    `${peer} counts its runs beyond what any clock shows, as one does that somebody removed again and again: expel it with \`weft peer revoke\`, which takes its addresses over, too`,
  );
}

function noMoreGenerations(): WeftError {
  return new WeftError(
    'rotation-exhausted',
    'somebody counted the secrets of this network up to the last: `weft token rotate --reset-trust` begins anew',
  );
}

function verdict({ content: { subject, name, heir }, time }: Statement<Removed | Revoked>): Verdict {
  return { peer: subject, nickname: name, by: heir, time };
}

function nameOf({ peer, nickname }: MemberView): string {
  return `${nickname} (${peer})`;
}
