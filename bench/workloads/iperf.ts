/** iperf3, driven and understood. */
import { Type } from 'typebox';
import { validator } from '../../src/validate.js';
import { type Node, type Running, until } from '../../test/lab/index.js';

const Sum = Type.Object({ bytes: Type.Number(), bits_per_second: Type.Number() });
const TcpReport = Type.Object({
  end: Type.Object({ sum_received: Sum, sum_received_bidir_reverse: Type.Optional(Sum) }),
});
const UdpReport = Type.Object({
  end: Type.Object({
    sum_sent: Type.Object({ packets: Type.Number() }),
    sum_received: Type.Object({
      packets: Type.Number(),
      lost_packets: Type.Number(),
      seconds: Type.Number(),
    }),
  }),
});
const parseTcpReport = validator('command-failed', 'the report of iperf3', TcpReport);
const parseUdpReport = validator('command-failed', 'the report of iperf3', UdpReport);

export interface TcpResult {
  /** Received, all flows and directions, in Gb/s. */
  readonly gbps: number;
  readonly bytes: number;
}

export interface UdpResult {
  /** Packets a second that arrived. */
  readonly received: number;
  /** Payload that arrived. */
  readonly bytes: number;
  /** 0 to 1 */
  readonly loss: number;
}

/** Starts the server; resolves when it listens. */
export async function startIperfServer(server: Node): Promise<Running> {
  const running = server.start(['iperf3', '--server']);
  await until('iperf3 listens', () =>
    server.run(['ss', '-Hltn', 'sport = :5201']).then((found) => found !== ''),
  );
  return running;
}

/** A TCP transfer of so many seconds and flows; `bidirectional` runs that many each way at once. */
export async function measureTcp(
  client: Node,
  address: string,
  options: { seconds: number; flows?: number; bidirectional?: boolean },
): Promise<TcpResult> {
  const args = ['--time', `${options.seconds}`];
  if (options.flows !== undefined) args.push('--parallel', `${options.flows}`);
  if (options.bidirectional) args.push('--bidir');
  const { end } = parseTcpReport(await iperf(client, address, args));
  const sums = [
    end.sum_received,
    ...(end.sum_received_bidir_reverse ? [end.sum_received_bidir_reverse] : []),
  ];
  return {
    gbps: sums.reduce((total, sum) => total + sum.bits_per_second, 0) / 1e9,
    bytes: sums.reduce((total, sum) => total + sum.bytes, 0),
  };
}

/** Offers UDP at a rate (packets a second) for so many seconds. */
export async function measureUdp(
  client: Node,
  address: string,
  options: { payload: number; rate: number; seconds: number },
): Promise<UdpResult> {
  const { payload, rate, seconds } = options;
  const args = ['--udp', '--length', `${payload}`, '--bitrate', `${Math.round(rate * payload * 8)}`];
  args.push('--blockcount', `${Math.ceil(rate * seconds)}`, '--window', '4M', '--pacing-timer', '200');
  const { sum_sent: sent, sum_received: seen } = parseUdpReport(await iperf(client, address, args)).end;
  const received = seen.packets - seen.lost_packets;
  // Against what was sent: the server, which only sees gaps in the sequence, would miss a lost end.
  return { received: received / seen.seconds, bytes: received * payload, loss: 1 - received / sent.packets };
}

async function iperf(client: Node, address: string, args: string[]): Promise<unknown> {
  const report: unknown = JSON.parse(await client.run(['iperf3', '--client', address, '--json', ...args]));
  // Some failures in the middle of a test come with exit code 0.
  if (isFailure(report)) throw new Error(`iperf3 ${args.join(' ')}: ${report.error}`);
  return report;
}

function isFailure(report: unknown): report is { error: unknown } {
  return typeof report === 'object' && report !== null && 'error' in report;
}
