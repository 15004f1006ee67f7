import { SystemClock } from '../../clock.js';
import { EventStreams, Journal } from '../../events/index.js';
import type { Forwarder } from '../../forwarder/index.js';
import type { PeerId } from '../../identity/index.js';
import { sizeOf, spanText } from '../../ipam/index.js';
import type { Mesh } from '../../mesh/index.js';
import type { Overlay } from '../../overlay/index.js';
import { weftVersion } from '../../version.js';
import type { Addresses } from '../addresses/index.js';
import type { Attachments } from '../attachments/index.js';
import type { KernelPaths } from '../kernel-paths/index.js';
import type { Endpoints } from '../mac-routes/index.js';
import type { Trust } from '../membership/index.js';
import type { Dns } from '../names/index.js';
import type { Networks } from '../segments/index.js';
import { ContainerEvents } from './containers.js';
import { PathEvents } from './path-events.js';
import { PeerEvents } from './peers.js';

/** No run of a router is as late as this: who is not admitted in it was expelled for good. */
const ANY_RUN = Number.MAX_SAFE_INTEGER;

/** Whose events are followed. */
export interface Happening {
  readonly mesh: Mesh;
  readonly trust: Pick<Trust, 'admits'>;
  readonly overlay: Overlay;
  readonly kernelPaths: KernelPaths | undefined;
  readonly forwarder: Forwarder;
  readonly networks: Networks;
  readonly addresses: Pick<Addresses, 'on'>;
  readonly attachments: Attachments;
  readonly endpoints: Endpoints;
  readonly names: Dns;
}

/** What happens to this router, from when it works until it stops: the one place that brings the events of all parts into the journal. */
export class Happenings {
  readonly #clock = new SystemClock();
  readonly journal: Journal;
  readonly streams: EventStreams;
  #networks: Networks | undefined;
  #mesh: Mesh | undefined;

  constructor(run: string) {
    this.journal = new Journal({ run, clock: this.#clock, time: Date.now });
    this.streams = new EventStreams(this.journal);
  }

  /** Begins to listen: what was so before is no news. */
  begin(parts: Happening, router: { readonly nickname: string; readonly adopted: boolean }): void {
    const { mesh, trust, overlay, kernelPaths, forwarder, networks, attachments } = parts;
    const { journal } = this;
    this.#mesh = mesh;
    this.#networks = networks;
    journal.record('router-up', 'router', { ...router, software: weftVersion() });
    const isExpelled = (peer: PeerId) => !trust.admits(peer, ANY_RUN);
    new PeerEvents({ journal, mesh, isExpelled }).follow();
    new ContainerEvents(journal, networks).follow(attachments);
    const nicknameOf = (peer: string) => this.#nicknameOf(peer);
    const clock = this.#clock;
    new PathEvents({ journal, clock, overlay, kernelPaths, forwarder, nicknameOf }).follow();
    this.#followForwarder(forwarder);
    this.#followAddresses(parts);
  }

  /** The router stops, which is the last that happens: whoever reads comes to an end. */
  end(forget: boolean): void {
    this.journal.record('router-down', 'router', { forget });
    this.#clock.stop();
    this.journal.end();
  }

  /** A part that speaks to somebody else's program could not do what it was to. */
  pluginFailed(plugin: string, message: string): void {
    this.journal.record('plugin-failed', `plugin:${plugin}`, { plugin, message });
  }

  #followForwarder(forwarder: Forwarder): void {
    const { journal } = this;
    forwarder.on('ready', (state) => journal.record('forwarder-ready', 'forwarder', state));
    forwarder.on('lost', () => journal.record('forwarder-lost', 'forwarder', {}));
    forwarder.on('event', ({ name, fields }) => {
      if (name === 'loop')
        journal.record('loop-found', subjectOfNetwork(fields), { ...fields, network: this.#nameOf(fields) });
      if (name === 'loop-over')
        journal.record('loop-over', subjectOfNetwork(fields), { network: this.#nameOf(fields) });
    });
  }

  #followAddresses({ addresses, endpoints, names }: Happening): void {
    const { journal } = this;
    addresses.on('moved', ({ peer, isReceived, moves }) => {
      const nickname = peer === null ? '' : this.#nicknameOf(peer);
      const spans = moves.map(({ span }) => span);
      const ranges = () => ({ nickname, ranges: spans.map(spanText), count: sizeOf(spans) });
      const by = peer ?? '';
      if (isReceived) journal.record('addresses-received', 'addresses', () => ({ peer, ...ranges() }), by);
      else if (peer !== null)
        journal.record('addresses-given', 'addresses', () => ({ peer, ...ranges() }), peer);
    });
    endpoints.on('moved', ({ peer, network, mac, address }) => {
      const details = () => ({ ...this.#peer(peer), network: this.#nameOf({ network }), address, mac });
      journal.record('address-moved', `address:${network}/${address}`, details, peer);
    });
    names.on('name', ({ change, peer, network, addresses, name, container }) => {
      const where = () => ({ name, network: this.#nameOf({ network }), container });
      const details = () => ({ ...this.#peer(peer), ...where(), addresses });
      journal.record(`name-${change}`, `name:${network}/${name}`, details, peer);
    });
  }

  #nameOf({ network }: { readonly network: number }): string {
    return this.#networks?.nameOf(network) ?? String(network);
  }

  #peer(peer: PeerId) {
    return { peer, nickname: this.#nicknameOf(peer) };
  }

  #nicknameOf(peer: string): string {
    return this.#mesh?.member(peer as PeerId)?.nickname ?? '';
  }
}

function subjectOfNetwork({ network }: { readonly network: number }): string {
  return `network:${network}`;
}
