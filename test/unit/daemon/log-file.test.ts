import { mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { logFile } from '../../../src/daemon/logging/log-file.js';

describe('the log file', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'weft-log-'));
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  it('is private, has each line at once, and begins anew at 5 MiB with the one before beside it', () => {
    const path = join(directory, 'daemon.log');
    const log = logFile(path);
    log.write('one\n');
    expect(readFileSync(path, 'utf8')).toBe('one\n');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    writeFileSync(path, Buffer.alloc(5 * 1024 * 1024));
    log.write('two\n');
    expect(readFileSync(path, 'utf8')).toBe('two\n');
    expect(statSync(`${path}.1`).size).toBe(5 * 1024 * 1024);
  });

  it('goes on when it can be written again, and says what is missing', () => {
    const path = join(directory, 'logs', 'daemon.log');
    const log = logFile(path);
    for (const line of ['one\n', 'two\n']) log.write(line);
    renameSync(mkdtempSync(join(directory, 'new-')), join(directory, 'logs'));
    log.write('three\n');
    const [loss = '', three] = readFileSync(path, 'utf8').split('\n');
    expect(JSON.parse(loss)).toMatchObject({ level: 'warn', message: expect.stringMatching(/^2 lines/) });
    expect(three).toBe('three');
  });
});
