/** What becomes of interfaces and files when the router, a container or a runtime ends halfway. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { aWorldForEachTest, CONFIGURATION } from './world.js';

const world = aWorldForEachTest();

/** As `weft-cni` notes what a runtime wanted to be removed. */
function note(name: string, content: unknown): string {
  const directory = join(world().runDir, 'cni-removals');
  mkdirSync(directory, { recursive: true });
  const path = join(directory, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const removal = (container: string) => ({ network: 'weft', container, interface: 'eth0' });

describe('an address', () => {
  it('is free again once its container went without a DEL', async () => {
    await world().plugin.start();
    await world().add('c1');
    world().host.made.clear();
    await world().plugin.check();
    expect(world().host.held.size).toBe(0);
  });

  it('of an ADD that a router did not live to end is free when the next one starts', async () => {
    await world().host.addresses.take('10.32.0.0/16');
    await world().restarted().start();
    expect(world().host.held.size).toBe(0);
    expect(await world().add('c1')).toMatchObject({ result: {} });
  });

  it('of an ADD that goes on is left alone', async () => {
    let open: () => void = () => {};
    world().host.gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const adding = world().add('c1');
    await world().host.addresses.claim('10.32.0.9');
    await world().plugin.check();
    expect(world().host.held).toContain('10.32.0.9');
    open();
    await adding;
    await world().plugin.check();
    expect(world().host.held).not.toContain('10.32.0.9');
  });

  it("of a DEL that goes on is nobody else's before it is given back", async () => {
    let open: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    await world().add('c1');
    const { endpoints } = world().host;
    const remove = endpoints.remove;
    endpoints.remove = async (id) => {
      await remove(id);
      await gate;
    };
    const removing = world().plugin.call(world().call('DEL', 'c1'));
    await expect.poll(() => world().host.made.size).toBe(0);
    await world().plugin.check();
    const again = { config: { ...CONFIGURATION, runtimeConfig: { ips: ['10.32.0.1/16'] } } };
    expect(await world().add('c2', again)).toMatchObject({ error: { details: 'address-used' } });
    open();
    await removing;
    expect(await world().add('c2', again)).toMatchObject({ result: {} });
    expect([...world().host.held]).toEqual(['10.32.0.1']);
  });
});

describe('what a runtime wanted to be removed while no router ran', () => {
  it('is removed when one starts', async () => {
    await world().add('c1');
    await world().add('c2');
    const path = note('1.json', removal('c1'));
    await world().restarted().start();
    expect([...world().host.made.keys()]).toEqual(['weft c2 eth0']);
    expect(existsSync(path)).toBe(false);
  });

  it('is removed before a container is added, which may be the same', async () => {
    await world().plugin.start();
    await world().add('c1');
    note('1.json', removal('c1'));
    expect(await world().add('c1')).toMatchObject({ result: {} });
    await world().plugin.check();
    expect(world().host.made.size).toBe(1);
  });

  it('may be something that cannot be read, which is told and forgotten', async () => {
    const paths = [note('1.json', 'no JSON'), note('2.json', { network: 'weft' })];
    note('3.json.new', 'half written');
    await world().plugin.start();
    expect(paths.some((path) => existsSync(path))).toBe(false);
    expect(readdirSync(join(world().runDir, 'cni-removals'))).toEqual(['3.json.new']);
    expect(world().failures.splice(0)).toHaveLength(2);
  });
});

describe('an installation', () => {
  const places = () => ({
    binDir: join(world().directory, 'opt', 'cni', 'bin'),
    confDir: join(world().directory, 'etc', 'cni', 'net.d'),
  });
  const wanted = (changes = {}) => ({ ...places(), name: 'weft', network: 'default', ...changes });
  const program = () => join(places().binDir, 'weft-cni');
  const configuration = (name = 'weft') => join(places().confDir, `10-${name}.conflist`);

  beforeEach(() => world().plugin.start());

  it('is the program and a configuration that names weft, and nothing beside them', async () => {
    const { files } = await world().plugin.install(wanted());
    expect(files).toEqual([program(), configuration()]);
    expect(readFileSync(program(), 'utf8')).toBe('the program');
    expect(JSON.parse(readFileSync(configuration(), 'utf8'))).toEqual({
      cniVersion: '1.0.0',
      name: 'weft',
      plugins: [
        {
          type: 'weft-cni',
          network: 'default',
          isDefaultGateway: true,
          runDir: world().runDir,
          capabilities: { ips: true, mac: true, aliases: true, dns: true },
        },
      ],
    });
    expect([...readdirSync(places().binDir), ...readdirSync(places().confDir)]).toHaveLength(2);
  });

  it('has the plugins of the host that work on what weft made', async () => {
    mkdirSync(places().binDir, { recursive: true });
    writeFileSync(join(places().binDir, 'portmap'), '');
    await world().plugin.install(wanted());
    const { plugins } = JSON.parse(readFileSync(configuration(), 'utf8'));
    expect(plugins).toMatchObject([
      { type: 'weft-cni' },
      { type: 'portmap', capabilities: { portMappings: true } },
    ]);
  });

  it('is put back when somebody removes a part of it, also by the next router', async () => {
    await world().plugin.install(wanted());
    rmSync(program());
    await world().plugin.check();
    expect(existsSync(program())).toBe(true);
    rmSync(configuration());
    writeFileSync(world().program, 'a newer program');
    await world().restarted().start();
    expect(existsSync(configuration())).toBe(true);
    expect(readFileSync(program(), 'utf8')).toBe('a newer program');
  });

  it('keeps a configuration that somebody changed, until it is installed anew', async () => {
    await world().plugin.install(wanted());
    const changed = '{"plugins":[{"type":"weft-cni"}]}';
    writeFileSync(configuration(), changed);
    rmSync(program());
    await world().restarted().start();
    expect(readFileSync(configuration(), 'utf8')).toBe(changed);
    expect(existsSync(program())).toBe(true);
    await world().plugin.install(wanted());
    expect(readFileSync(configuration(), 'utf8')).not.toBe(changed);
  });

  it('is gone once it is taken back, and stays so', async () => {
    await world().plugin.install(wanted());
    expect((await world().plugin.uninstall()).files).toHaveLength(2);
    await world().restarted().start();
    expect(existsSync(program()) || existsSync(configuration())).toBe(false);
    expect(world().plugin.status()).toMatchObject({ installation: null, files: [], fault: null });
  });

  it('leaves its former place when it goes to another', async () => {
    await world().plugin.install(wanted());
    await world().plugin.install(wanted({ name: 'shop' }));
    expect(existsSync(configuration())).toBe(false);
    expect(existsSync(configuration('shop')) && existsSync(program())).toBe(true);
  });

  it.each([
    ['a network that nobody made', { network: 'elsewhere' }, 'no-such-network'],
    ["the name of another plugin's configuration", { name: 'theirs' }, 'cni-not-installed'],
    ['a directory that cannot be one', { binDir: '/etc/hostname/cni' }, 'cni-not-installed'],
  ])('is refused for %s, and nothing is noted', async (_what, changes, code) => {
    mkdirSync(places().confDir, { recursive: true });
    writeFileSync(configuration('theirs'), '{"plugins":[{"type":"bridge"}]}');
    await expect(world().plugin.install(wanted(changes))).rejects.toMatchObject({ code });
    expect(world().plugin.status().installation).toBeNull();
    expect(readFileSync(configuration('theirs'), 'utf8')).toContain('bridge');
  });

  it('that cannot be put back is told once', async () => {
    await world().plugin.install(wanted());
    rmSync(program());
    rmSync(world().program);
    await world().plugin.check();
    await world().plugin.check();
    expect(world().failures.splice(0)).toEqual(['container runtimes do not find weft']);
    expect(world().plugin.status().fault).toMatch(/not installed/);
  });
});
