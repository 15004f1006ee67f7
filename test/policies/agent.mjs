/**
 * What runs in each container: listens on ports, echoes what comes, and speaks to others when it is told to. Reads a line of JSON for each order, writes one
 * for each answer.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';

const [tcpPorts, udpPorts] = process.argv.slice(2).map((list) => list.split(',').map(Number));
/** Connections that are kept, by what the order calls them. */
const kept = new Map();
/** How many datagrams came, by port and sender. */
const received = new Map();

async function listen() {
  for (const port of tcpPorts) {
    const server = createServer((socket) => socket.on('error', () => {}).pipe(socket));
    await once(server.listen(port, '::'), 'listening');
  }
  for (const port of udpPorts) {
    const socket = createSocket('udp6');
    const senders = {};
    received.set(port, senders);
    socket.on('message', (message, { address, port: theirs }) => {
      senders[address] = (senders[address] ?? 0) + 1;
      socket.send(message, theirs, address);
    });
    socket.bind(port, '::');
    await once(socket, 'listening');
  }
}

/** Whether somebody answers. */
async function probe({ address, protocol, port, within }) {
  return protocol === 'TCP' ? await connects(address, port, within) : await echoes(address, port, within);
}

async function connects(address, port, within) {
  const socket = connect({ host: address, port });
  const signal = AbortSignal.timeout(within);
  try {
    await once(socket, 'connect', { signal });
    return true;
  } catch {
    return false;
  } finally {
    socket.on('error', () => {}).destroy();
  }
}

async function echoes(address, port, within) {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  const signal = AbortSignal.timeout(within);
  const send = () => socket.send('hello', port, address, () => {});
  const again = setInterval(send, 500);
  try {
    send();
    await once(socket, 'message', { signal });
    return true;
  } catch {
    return false;
  } finally {
    clearInterval(again);
    socket.on('error', () => {}).close();
  }
}

/** Connects and stays so. */
async function keep({ name, address, port, within }) {
  const socket = connect({ host: address, port });
  kept.set(name, socket);
  socket.on('error', () => {});
  await once(socket, 'connect', { signal: AbortSignal.timeout(within) });
  return true;
}

/** Whether a kept connection still carries something there and back. */
async function speak({ name, within }) {
  const socket = kept.get(name);
  try {
    socket.write('hello');
    await once(socket, 'data', { signal: AbortSignal.timeout(within) });
    return true;
  } catch {
    return false;
  }
}

/** Sends a datagram a millisecond, for so long; nobody is asked whether it came. */
async function flood({ address, port, milliseconds }) {
  const socket = createSocket('udp4');
  const end = performance.now() + milliseconds;
  let sent = 0;
  while (performance.now() < end) {
    socket.send(`${Date.now()}`, port, address, () => {});
    sent += 1;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  socket.close();
  return sent;
}

const ORDERS = { probe, keep, speak, flood, received: async ({ port }) => received.get(port) };

await listen();
console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const { id, order, ...options } = JSON.parse(line);
  ORDERS[order](options).then((value) => console.log(JSON.stringify({ id, value })));
}
process.exit(0);
