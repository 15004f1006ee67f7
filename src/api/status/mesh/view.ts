import type { PathWord } from '../../../events/index.js';
import type { Peer, Readiness } from '../../schemas.js';

/** A router of the network. */
export interface HostView {
  readonly nickname: string;
  readonly state: Peer['state'];
  /** Where packets for it may go, as it announces. */
  readonly endpoints: readonly string[];
  /** Of its weft, as it says; empty where that is not known. */
  readonly version: string;
  /** Interfaces of containers, and of the host itself, that it announces. */
  readonly interfaces: number;
  /** Names of the networks that it has containers on, beside the default one. */
  readonly networks: readonly string[];
}

/** How packets get from this router to another one. */
export interface LinkView {
  readonly kind: PathWord;
  /** Whether there is a control link. */
  readonly control: boolean;
  /** Nickname of the relay. */
  readonly via: string | null;
  /** Round trip in microseconds. */
  readonly rtt: number | null;
  /** 0 to 1. */
  readonly loss: number | null;
  readonly cipher: string | null;
  readonly pathMtu: number | null;
  readonly endpoint: string | null;
  /** Why it is not direct. */
  readonly reason: string | null;
}

/** Bytes sent to a router and received from it, since the forwarder knows it. */
export type Traffic = readonly [sent: number, received: number];

/** The mesh as one router knows it. The keys are the ids of the other routers; of `others` both, with a space between them. */
export interface MeshView {
  readonly self: string;
  readonly health: Readiness;
  readonly hosts: ReadonlyMap<string, HostView>;
  readonly links: ReadonlyMap<string, LinkView>;
  readonly traffic: ReadonlyMap<string, Traffic>;
  /** Links between other routers, as these tell, and what each costs: comparable to microseconds of round trip. */
  readonly others: ReadonlyMap<string, number>;
  /** How much of each is left out, since there is more than a page can show. */
  readonly omitted: { readonly hosts: number; readonly others: number };
}

/** What is to be put into a part of the view, and what is to be taken out. */
export interface PartChange<T> {
  readonly put: Readonly<Record<string, T>>;
  readonly gone: readonly string[];
}

/** What is not as it was; the first that a reader gets is all that there is. A part without change is missing. */
export interface MeshChange {
  /** Milliseconds of a clock that only goes forward. */
  readonly at: number;
  readonly about?: Pick<MeshView, 'self' | 'health' | 'omitted'>;
  readonly hosts?: PartChange<HostView>;
  readonly links?: PartChange<LinkView>;
  readonly traffic?: PartChange<Traffic>;
  readonly others?: PartChange<number>;
}

/** One thing that happened. */
export interface Happened {
  readonly run: string;
  /** Null for what stands for events that are lost. */
  readonly seq: number | null;
  readonly time: string | null;
  readonly kind: string;
  readonly text: string;
}

/** An interface that a router announces. */
export interface InterfaceView {
  /** Of the container; empty where none is known. */
  readonly names: readonly string[];
  readonly network: string;
  readonly mac: string;
  readonly addresses: readonly string[];
  /** Of its containers, such as `app=shop`. */
  readonly labels: readonly string[];
}

/** More about a router, for whoever asks. */
export interface HostDetails {
  readonly interfaces: readonly InterfaceView[];
  readonly names: readonly {
    readonly name: string;
    readonly network: string;
    readonly addresses: readonly string[];
  }[];
  /** How much of each is left out. */
  readonly omitted: { readonly interfaces: number; readonly names: number };
  /** Addresses that are its to hand out; null: none. */
  readonly owned: {
    readonly addresses: number;
    readonly share: number;
    readonly free: number | null;
    /** As people write them, the lowest of them. */
    readonly ranges: readonly string[];
    /** How many more there are. */
    readonly moreRanges: number;
  } | null;
  readonly ciphers: readonly string[];
}

/** The routers that have something with this text: in a name, an address or a label of a container. */
export interface Found {
  readonly peers: readonly string[];
}
