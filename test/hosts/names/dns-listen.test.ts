import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Host, until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { dig } from './dig.js';

describe('names at an address of the host', () => {
  const world = onLab(async (lab) => {
    const [a] = await lab.hosts(1);
    return { a };
  });

  test.each([
    ['IPv4', '172.17.0.1/16', '172.17.0.1', '172.17.0.1:53'],
    ...(process.env.WEFT_LONG === '1'
      ? [
          ['IPv6', 'fd17::1/64', 'fd17::1', '[fd17::1]:53'],
          ['link-local', 'fe80::17/64', 'fe80::17%late', '[fe80::17%late]:53'],
        ]
      : []),
  ] as [
    string,
    string,
    string,
    string,
  ][])('that comes late, goes and comes back are answered while it is there (%s)', async (_, cidr, server, address) => {
    const { a } = world();
    const appear = () =>
      a.ip(
        'link add late type veth peer name end',
        'link set late up',
        'link set end up',
        `address add ${cidr} dev late nodad`,
      );
    const waiting = [{ address, reason: 'this host does not have the address' }];
    const said = await a.weft('launch', '--dns-listen-address', server);
    expect(said).toContain(`names: waiting for ${address}`);
    await a.weft('dns-add', '192.0.2.7', '-h', 'printer');
    for (const _time of ['first', 'second']) {
      await until('it is waited for', async () => (await a.report()).status.dnsWaiting.length > 0);
      expect((await a.report()).status.dnsWaiting).toEqual(waiting);
      expect(await a.weft('status')).toContain(`waiting for ${address}`);
      await appear();
      await until('it answers', () => answersAt(a, server));
      expect((await a.report()).dns.status).toMatchObject({
        listening: expect.arrayContaining([address]),
        waiting: [],
      });
      await a.ip('link delete late');
    }
    await until('it is missed', async () => (await a.report()).status.dnsWaiting.length > 0);
    expect(warnings(a)).toHaveLength(3);
    await appear();
    await until('it answers', () => answersAt(a, server));
    await a.ip('link delete late');
    await appear(); // before anybody has looked
    await until('it answers', () => answersAt(a, server));
    await a.weft('stop');
    await a.ip('link delete late');
    await a.launch(); // as after a restart of the host
    expect((await a.report()).status.dnsWaiting).toEqual(waiting);
    await a.weft('reset');
  });

  test('that another program has are refused where that can be changed, and else waited for', async () => {
    const { a } = world();
    const listen = ['launch', '--dns-listen-address', a.address];
    const occupy = async () => {
      const other = a.start(['socat', '-u', `UDP-RECV:53,bind=${a.address}`, '/dev/null']);
      await until('it has the port', async () => (await a.run(['ss', '-Hlnu', 'sport = :53'])) !== '');
      return other;
    };
    let other = await occupy();
    expect(await a.tryWeft(...listen)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^weft: .*another program listens there \(`ss .*choose another.*\n$/),
    });
    await other.stop('SIGTERM');
    await a.weft(...listen);
    await a.weft('dns-add', '192.0.2.7', '-h', 'printer');
    await a.weft('stop');
    other = await occupy();
    await a.launch();
    expect((await a.report()).status.dnsWaiting).toEqual([
      { address: `${a.address}:53`, reason: 'another program listens there' },
    ]);
    await other.stop('SIGTERM');
    await until('it answers', () => answersAt(a, a.address));
    await a.weft('reset');
  });

  test('are refused where no host has the address', async () => {
    const { a } = world();
    for (const address of ['224.0.0.1', 'ff02::1', '255.255.255.255', 'localhost', '10.0.0.1:99999']) {
      const { code, stderr } = await a.tryWeft('launch', '--dns-listen-address', address);
      expect({ address, code, lines: stderr.trim().split('\n').length }).toEqual({
        address,
        code: 2,
        lines: 1,
      });
    }
    expect(a.files()).toEqual([]);
  });
});

async function answersAt(host: Host, server: string): Promise<boolean> {
  const answers = await Promise.all(
    [[], ['+tcp']].map((how) => dig(host, 'printer.weft.local', ...how, { server })),
  );
  return answers.every((answer) => answer.answers.join() === '192.0.2.7');
}

/** What the log says of addresses that are not there. */
function warnings(host: Host): string[] {
  const log = readFileSync(join(host.runDirectory, 'daemon.log'), 'utf8');
  return log.split('\n').filter((line) => line.includes('names are not served at'));
}
