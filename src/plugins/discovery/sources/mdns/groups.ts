import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isInSubnets } from '../../../../hostnet/index.js';
import { isIpv6, withoutLength } from '../../../../net/index.js';
import type { Place } from './places.js';

const PORT = 5353;
const GROUP = { udp4: '224.0.0.251', udp6: 'ff02::fb' } as const;
/** Whatever is longer is not read: RFC 6762, 17. */
const LONGEST = 9_000;

type Family = keyof typeof GROUP;

/** The groups of multicast DNS on one link, of both families where it has both. */
export class Groups {
  private constructor(private readonly sockets: readonly Socket[]) {}

  /** Rejects when there is no way to join any. */
  static async join(place: Place, onMessage: (bytes: Buffer) => void): Promise<Groups> {
    const addresses = place.subnets.map(withoutLength);
    const own = addresses.find((address) => !isIpv6(address));
    const joined = await Promise.allSettled([
      ...(own === undefined ? [] : [join('udp4', GROUP.udp4, own)]),
      ...(addresses.some(isIpv6) ? [join('udp6', `${GROUP.udp6}%${place.name}`, `::%${place.name}`)] : []),
    ]);
    const sockets = joined.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    const [failure] = joined.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    if (sockets.length === 0) throw failure ?? new Error(`${place.name} has no address`);
    for (const socket of sockets) {
      socket.on('message', (bytes, from) => {
        if (bytes.length <= LONGEST && isFromLink(from, place)) onMessage(bytes);
      });
    }
    return new Groups(sockets);
  }

  /** Resolves once the kernel has it, or does not take it: then the interface is gone, which shows in time. */
  async send(bytes: Buffer): Promise<void> {
    await Promise.all(
      this.sockets.map(
        (socket) => new Promise((sent) => socket.send(bytes, PORT, socket.address().address, sent)),
      ),
    );
  }

  close(): void {
    for (const socket of this.sockets) socket.close();
  }
}

/** Bound to the group, a socket gets what was sent to the group, which no router passes on; never what was sent to this host alone. */
async function join(type: Family, group: string, own: string): Promise<Socket> {
  const socket = createSocket({ type, reuseAddr: true, ipv6Only: type === 'udp6' });
  try {
    socket.bind({ address: group, port: PORT });
    await once(socket, 'listening');
    socket.addMembership(GROUP[type], own);
    socket.setMulticastInterface(own);
    socket.setMulticastTTL(255);
  } catch (error) {
    socket.close();
    throw error;
  }
  return socket.on('error', () => {}); // what cannot be sent is lost
}

/** Sockets of other links get it, too; and who is not on the link has forged its way here. */
function isFromLink({ address, port }: RemoteInfo, { subnets }: Place): boolean {
  return port === PORT && isInSubnets(address.split('%')[0] ?? '', subnets);
}
