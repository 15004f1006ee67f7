import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { execSource } from '../../../../src/plugins/discovery/sources/index.js';
import { until } from '../../../lab/until.js';
import { contextOf } from './compliance.js';

describe('the program of a source', () => {
  let directory: string;
  let program: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'weft-exec-'));
    program = join(directory, 'program');
  });

  afterEach(() => rm(directory, { recursive: true }));

  /** Its first snapshot. */
  async function look(script: string, signal = new AbortController().signal, timeout?: number) {
    await writeFile(program, `#!/bin/sh\n${script}\n`);
    await chmod(program, 0o755);
    return (await execSource('exec:', program, contextOf(), timeout).follow(signal).next()).value;
  }

  const isGone = (pid: number) => {
    try {
      process.kill(pid, 0);
      return false;
    } catch {
      return true;
    }
  };
  const pidIn = async (name: string) => Number(await readFile(join(directory, name), 'utf8'));

  test('may use comments and empty lines', async () => {
    expect(await look("printf '# all\\n\\nhost-a  # first\\nhost-b:7000\\n'")).toEqual({
      targets: ['host-a', 'host-b:7000'],
      whole: true,
    });
  });

  test('is killed with all that it started when it takes too long', async () => {
    const hanging = look(
      `echo $$ > ${directory}/one; sleep 99 & echo $! > ${directory}/two; wait`,
      undefined,
      500,
    );
    await expect(hanging).rejects.toThrow(/did not end within 0.5 s/);
    for (const name of ['one', 'two']) {
      const pid = await pidIn(name);
      await until(`process ${pid} is gone`, () => isGone(pid));
    }
  });

  test('leaves nothing behind that holds its output', async () => {
    const found = await look(`echo host-a; sleep 99 & echo $! > ${directory}/left`);
    expect(found?.targets).toEqual(['host-a']);
    const pid = await pidIn('left');
    await until('what it left is gone', () => isGone(pid));
  });

  test('is killed when it prints without end', async () => {
    await expect(look('yes host-a')).rejects.toThrow(/printed more than 262144 bytes/);
  });

  test('that fails is quoted in a line without its control characters', async () => {
    await expect(look("printf 'no \\033[31mcredentials' >&2; exit 4")).rejects.toThrow(
      /program: exit code 4: no \?\[31mcredentials$/,
    );
  });

  test('that is not there, or may not be run, is an error that says so', async () => {
    await expect(
      execSource('exec:', '/nonexistent', contextOf()).follow(new AbortController().signal).next(),
    ).rejects.toThrow(/ENOENT/);
  });

  test('is given no shell: its name is taken as it is', async () => {
    const path = `${program}; touch ${directory}/harm`;
    await expect(
      execSource('exec:', path, contextOf()).follow(new AbortController().signal).next(),
    ).rejects.toThrow(/ENOENT/);
    await expect(readFile(join(directory, 'harm'))).rejects.toThrow(/ENOENT/);
  });

  test('is killed when the router stops', async () => {
    const ending = new AbortController();
    const hanging = look(`echo $$ > ${directory}/one; sleep 99`, ending.signal);
    const pid = await until('it runs', () => pidIn('one'));
    ending.abort();
    await expect(hanging).rejects.toThrow(/stops/);
    await until('it is gone', () => isGone(pid));
  });
});
