/** Routers that tell of themselves by multicast DNS on the loopback interface, as another implementation writes and reads it. */
import { createHash } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type Answer, decode, encode } from 'dns-packet';
import { mdnsSource } from '../../../../src/plugins/discovery/sources/index.js';
import type { Implementation } from './compliance.js';

const GROUP = '224.0.0.251';

/** The loopback interface, as if the addresses of these tests were on it, too. */
export const LOOPBACK = {
  name: 'lo',
  addresses: ['192.0.2.250'],
  subnets: ['127.0.0.1/8', '192.0.2.250/24'],
};

let services = 0;

/** A service that no other test has: they all share the interface. */
export function newService(): string {
  services += 1;
  return `t${process.pid}-${services}`;
}

/** The id of a router that is made up. */
const peerAt = (target: string) => createHash('sha256').update(target).digest('hex').slice(0, 16);

export class Neighbourhood {
  readonly #socket: Socket = createSocket({ type: 'udp4', reuseAddr: true });
  #targets: readonly string[] = [];
  /** What was heard, of this service alone. */
  readonly heard: ReturnType<typeof decode>[] = [];

  constructor(readonly service: string) {}

  async start(): Promise<void> {
    this.#socket.bind({ address: GROUP, port: 5353 });
    await once(this.#socket, 'listening');
    this.#socket.addMembership(GROUP, '127.0.0.1');
    this.#socket.setMulticastInterface('127.0.0.1');
    this.#socket.on('message', (bytes) => this.#hear(bytes));
  }

  stop(): void {
    this.#socket.close();
  }

  /** From now on these are there, and those before are not. */
  name(targets: readonly string[]): void {
    for (const target of this.#targets) if (!targets.includes(target)) this.tell(target, { ttl: 0 });
    this.#targets = targets;
    for (const target of targets) this.tell(target);
  }

  tell(target: string, { ttl = 120, text = '', peer = peerAt(target) } = {}): void {
    const [data = '', port = ''] = target.split(':');
    const [all, host] = [`_${this.service}._tcp.local`, `${peer}.local`];
    const name = `${peer}.${all}`;
    const answers: Answer[] = [
      { type: 'PTR', name: all, ttl, data: name },
      { type: 'TXT', name, ttl, data: text },
      { type: 'A', name: host, ttl, data },
      { type: 'SRV', name, ttl, data: { port: Number(port), target: host } },
    ];
    this.send(encode({ type: 'response', flags: 0x400, answers }));
  }

  ask(known: readonly Answer[] = []): void {
    const questions = [{ type: 'PTR' as const, name: `_${this.service}._tcp.local` }];
    this.send(encode({ type: 'query', questions, answers: [...known] }));
  }

  send(bytes: Buffer): void {
    this.#socket.send(bytes, 5353, GROUP);
  }

  #hear(bytes: Buffer): void {
    if (!bytes.includes(`_${this.service}`)) return;
    try {
      const message = decode(bytes);
      this.heard.push(message);
      if (message.type === 'query') for (const target of this.#targets) this.tell(target);
    } catch {
      // a test sent garbage
    }
  }
}

export const MDNS: Implementation = {
  kind: 'mdns',
  make: async (_, context) => {
    const neighbourhood = new Neighbourhood(newService());
    await neighbourhood.start();
    let isUp = true;
    return {
      source: mdnsSource('mdns:', neighbourhood.service, async () => (isUp ? [LOOPBACK] : []), context),
      name: async (targets) => neighbourhood.name(targets),
      break: async () => {
        isUp = false;
      },
      mend: async () => {
        isUp = true;
      },
      end: async () => neighbourhood.stop(),
    };
  },
};
