import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LaunchRequest } from '../../../src/daemon/index.js';
import { makePlan } from '../../../src/daemon/launch/plan.js';
import { removeState } from '../../../src/daemon/state/state-files.js';
import {
  encodeToken,
  identityFromSeed,
  type JoinToken,
  type NetworkSecret,
  newNetwork,
  newSecret,
} from '../../../src/identity/index.js';

describe('what a launch is going to be', () => {
  let stateDir: string;

  beforeEach(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'weft-plan-'));
  });

  afterEach(() => rm(stateDir, { recursive: true, force: true }));

  const request = (more: Partial<LaunchRequest> = {}): LaunchRequest => ({
    runDir: '/nowhere',
    stateDir,
    settings: {},
    peers: [],
    ...more,
  });
  const tokenOf = (addresses: string[] = []) => encodeToken({ secret: newNetwork().secrets[0], addresses });

  it('is a new network with the defaults when there is nothing to go by', async () => {
    const plan = await makePlan(request());
    expect(plan).toMatchObject({
      resumed: false,
      targets: [],
      settings: { port: 6783, bridge: 'weft', cipher: 'auto' },
    });
  });

  it('is the same again when nothing is asked: identity, network, targets, settings', async () => {
    const settings = { port: 7000, bridge: 'br1', mtu: 1400 };
    const first = await makePlan(request({ settings, peers: ['host-a'] }));
    const second = await makePlan(request());
    expect(second.resumed).toBe(true);
    expect(second.identity.peer).toBe(first.identity.peer);
    expect(second.network.id).toBe(first.network.id);
    expect(second.targets).toEqual(['host-a']);
    expect(second.settings).toMatchObject(settings);
  });

  it('lets what is chosen now go before what was chosen then', async () => {
    await makePlan(request({ settings: { port: 7000, mtu: 1400 } }));
    const plan = await makePlan(request({ settings: { mtu: 'auto' } }));
    expect(plan.settings).toMatchObject({ port: 7000, mtu: 'auto' });
  });

  it('takes the addresses of a token as targets, besides those that are named, each once', async () => {
    const network = { token: tokenOf(['192.0.2.1:6783']), mode: 'token' as const };
    const plan = await makePlan(request({ network, peers: ['192.0.2.1', 'host-b'] }));
    expect(plan.targets).toHaveLength(2);
    expect((await makePlan(request({ network }))).targets).toHaveLength(2);
    expect((await makePlan(request({ network, peers: ['host-c'] }))).targets).toEqual([
      'host-c',
      '192.0.2.1:6783',
    ]);
  });

  it('dials those that are named instead of those that it dialled before', async () => {
    await makePlan(request({ peers: ['host-a', 'host-b'] }));
    expect((await makePlan(request({ peers: ['host-b', 'host-c'] }))).targets).toEqual(['host-b', 'host-c']);
    expect((await makePlan(request())).targets).toEqual(['host-b', 'host-c']);
  });

  it('refuses the token of another network and says what to do', async () => {
    await makePlan(request());
    const network = { token: tokenOf(), mode: 'token' as const };
    await expect(makePlan(request({ network }))).rejects.toMatchObject({
      code: 'other-network',
      message: expect.stringContaining('weft reset'),
    });
  });

  it('takes the secret of a token that was made after trust was reset, keeps its identity, and no token of before', async () => {
    const first = await makePlan(request());
    const { id, secrets } = first.network;
    const later = { network: { id, generation: 0, epoch: 1 }, addresses: [] };
    const network = (secret: NetworkSecret, of: Omit<JoinToken, 'secret'>) => ({
      token: encodeToken({ secret, ...of }),
      mode: 'token' as const,
    });
    const secret = newSecret();
    const second = await makePlan(request({ network: network(secret, later) }));
    expect(second.identity.peer).toBe(first.identity.peer);
    expect(second.network).toMatchObject({ id, epoch: 1, secrets: [secret] });
    const before = { network: { id, generation: 7, epoch: 0 }, addresses: [] };
    const third = await makePlan(request({ network: network(secrets[0], before) }));
    expect(third.network).toEqual(second.network);
    const another = newSecret();
    const fourth = await makePlan(request({ network: network(another, later) }));
    expect(fourth.network.secrets).toEqual([another]);
  });

  it('makes a network with an administrator, whose key is private and outlasts a reset', async () => {
    const adminKey = join(stateDir, 'admin.json');
    const { network } = await makePlan(request({ adminKey }));
    expect((await stat(adminKey)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(adminKey, 'utf8')).publicKey).toBe(network.admin?.toString('hex'));
    expect((await makePlan(request())).network).toEqual(network);
    expect((await makePlan(request({ adminKey }))).network).toEqual(network);
    await removeState(stateDir);
    expect(await readdir(stateDir)).toEqual(['admin.json']);
  });

  it('leaves no key of an administrator when the launch fails', async () => {
    const empty = join(stateDir, 'new');
    await (await makePlan(request({ stateDir: empty, adminKey: join(empty, 'admin.json') }))).undo();
    await expect(stat(empty)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('gives no administrator to a network that is there', async () => {
    await makePlan(request());
    const asked = makePlan(request({ adminKey: join(stateDir, 'admin.json') }));
    await expect(asked).rejects.toMatchObject({ code: 'no-administrator' });
  });

  it('takes no token with another administrator for its own network\u2019s', async () => {
    const { network } = await makePlan(request({ adminKey: join(stateDir, 'admin.json') }));
    const token = encodeToken({
      secret: network.secrets[0],
      network: {
        id: network.id,
        generation: 1,
        epoch: 0,
        admin: identityFromSeed(Buffer.alloc(32)).publicKey,
      },
      addresses: [],
    });
    const asked = makePlan(request({ network: { token, mode: 'token' } }));
    await expect(asked).rejects.toMatchObject({ code: 'other-network' });
  });

  it('refuses a damaged file by name and leaves it as it is', async () => {
    await makePlan(request());
    for (const name of ['targets.json', 'launch.json', 'network.json', 'identity.json']) {
      const path = join(stateDir, name);
      const before = await readFile(path);
      await writeFile(path, '{"targets": 7, "port": "x"');
      await expect(makePlan(request())).rejects.toMatchObject({
        code: 'file-corrupt',
        message: expect.stringContaining(path),
      });
      expect(await readFile(path, 'utf8')).toContain('"x"');
      await writeFile(path, before);
    }
  });

  it('refuses a bridge name and an MTU that cannot be', async () => {
    await expect(
      makePlan(request({ settings: { bridge: 'a-name-that-is-too-long' } })),
    ).rejects.toMatchObject({
      code: 'bad-bridge-name',
    });
    await expect(makePlan(request({ settings: { mtu: 1000 } }))).rejects.toMatchObject({ code: 'bad-mtu' });
  });

  it('keeps the secret to its user, and a reset leaves nothing', async () => {
    await makePlan(request({ peers: ['host-a'] }));
    expect((await stat(join(stateDir, 'network.json'))).mode & 0o777).toBe(0o600);
    await removeState(stateDir);
    await expect(stat(stateDir)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('leaves files of others in the state directory alone when it is reset', async () => {
    await makePlan(request());
    await writeFile(join(stateDir, 'notes.txt'), 'mine');
    await removeState(stateDir);
    expect(await readFile(join(stateDir, 'notes.txt'), 'utf8')).toBe('mine');
  });

  it('is nothing after a launch that failed: what was chosen before holds, what is new is gone', async () => {
    const empty = join(stateDir, 'new');
    await (await makePlan(request({ stateDir: empty, peers: ['host-a'] }))).undo();
    await expect(stat(empty)).rejects.toMatchObject({ code: 'ENOENT' });

    const { identity, network } = await makePlan(request({ settings: { port: 7000 }, peers: ['host-a'] }));
    const failed = await makePlan(request({ settings: { port: 80, mtu: 1400 }, peers: ['host-b'] }));
    await failed.undo();
    const plan = await makePlan(request());
    expect(plan).toMatchObject({ settings: { port: 7000, mtu: 'auto' }, targets: ['host-a'], resumed: true });
    expect([plan.identity.peer, plan.network.id]).toEqual([identity.peer, network.id]);
  });

  it('leaves nothing in a state directory that it refuses', async () => {
    await writeFile(join(stateDir, 'network.json'), '{');
    await expect(makePlan(request())).rejects.toMatchObject({ code: 'file-corrupt' });
    expect(await readdir(stateDir)).toEqual(['network.json']);
  });

  it('says that a file stands in the way of its directory', async () => {
    const path = join(stateDir, 'file');
    await writeFile(path, '');
    await expect(makePlan(request({ stateDir: path }))).rejects.toMatchObject({
      code: 'bad-directory',
      message: expect.stringMatching(/a file stands where a directory is needed: .*--state-dir/),
    });
  });
});
