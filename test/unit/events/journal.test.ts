import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type EventLine,
  EventStreams,
  Journal,
  JournalReader,
  type Place,
  sentence,
  type WeftEvent,
} from '../../../src/events/index.js';
import { ManualClock } from './manual-clock.js';

const clock = () => new ManualClock();

function journal(time = clock()): Journal {
  return new Journal({ run: 'run-a', clock: time, time: () => time.now() });
}

/** Says that something happened, so often, slowly enough for all of it to be told. */
function happen(to: Journal, time: ManualClock, count: number): void {
  for (let i = 0; i < count; i += 1) {
    time.pass(1_000);
    to.record('loop-over', 'network:0', { network: `n${to.last + 1}` });
  }
}

function readAll(from: Journal, place: Place): EventLine[] {
  const reader = new JournalReader(from, place);
  const lines: EventLine[] = [];
  for (let line = reader.next(); line !== undefined; line = reader.next()) lines.push(JSON.parse(line));
  return lines;
}

const numbers = (lines: readonly EventLine[]) => lines.map((line) => ('seq' in line ? line.seq : line.kind));

describe('the journal', () => {
  it('counts events from 1, and names the run, the time and whom each is about', () => {
    const time = clock();
    const kept = journal(time);
    time.pass(5_000);
    kept.record('peer-joined', 'peer:ab', { peer: 'ab', nickname: 'host-b' });
    expect(readAll(kept, { since: 0 })).toEqual([
      {
        version: 1,
        run: 'run-a',
        seq: 1,
        time: '1970-01-01T00:00:05.000Z',
        kind: 'peer-joined',
        subject: 'peer:ab',
        details: { peer: 'ab', nickname: 'host-b' },
      },
    ]);
  });

  it('gives what happened since a number, or after a time, and nothing else', () => {
    const time = clock();
    const kept = journal(time);
    happen(kept, time, 5);
    expect(numbers(readAll(kept, { since: 3 }))).toEqual([4, 5]);
    expect(numbers(readAll(kept, { after: 4_000 }))).toEqual([4, 5]);
    expect(numbers(readAll(kept, {}))).toEqual([]);
  });

  it('forgets the oldest of more than 4,096, and says so to whoever asks for them', () => {
    const time = clock();
    const kept = journal(time);
    happen(kept, time, 5_000);
    const lines = readAll(kept, { since: 10 });
    expect(lines[0]).toMatchObject({ kind: 'lost', reason: 'forgotten', from: 11, to: 904 });
    expect(lines[1]).toMatchObject({ seq: 905, details: { network: 'n905' } });
    expect(lines).toHaveLength(1 + 4_096);
  });

  it('says that a number is of another run, and gives all that it knows', () => {
    const time = clock();
    const kept = journal(time);
    happen(kept, time, 2);
    expect(numbers(readAll(kept, { since: 1, run: 'run-b' }))).toEqual(['lost', 1, 2]);
    expect(numbers(readAll(kept, { since: 77 }))).toEqual(['lost', 1, 2]);
  });

  it('keeps no more than 4 million characters, however long the texts are that others chose', () => {
    const time = clock();
    const kept = journal(time);
    const addresses = Array.from({ length: 256 }, () => 'x'.repeat(10_000));
    for (let i = 0; i < 200; i += 1) {
      time.pass(1_000);
      kept.record('name-added', 'name', name(`${i}`, addresses));
    }
    const characters = readAll(kept, { since: 0 }).reduce(
      (sum, line) => sum + JSON.stringify(line).length,
      0,
    );
    expect(characters).toBeGreaterThan(1_000_000);
    expect(characters).toBeLessThan(4.2 * 1024 * 1024);
  });

  it('tells of a flood how much of it is left out, and leaves room for others', () => {
    const time = clock();
    const kept = journal(time);
    for (let i = 0; i < 10_000; i += 1) kept.record('name-added', 'name', name(`${i}`), 'aa');
    kept.record('name-added', 'name', name('of-another'), 'bb');
    kept.record('peer-joined', 'peer:cc', { peer: 'cc', nickname: 'c' });
    time.pass(5_000);
    const kinds = readAll(kept, { since: 510 }).map(({ kind }) => kind);
    expect(kinds).toEqual(['name-added', 'name-added', 'name-added', 'peer-joined', 'omitted']);
    expect(readAll(kept, { since: kept.last - 1 })).toMatchObject([
      { details: { of: 'name-added', count: 10_000 - 512 } },
    ]);
  });

  it('prints no control character that somebody else chose, in JSON or in sentences', () => {
    const time = clock();
    const kept = journal(time);
    const nickname = 'evil\x1b[2J\x9b2J\r\n\u202e\u2028<img onerror=x>\u{e0001}';
    kept.record('peer-joined', 'peer:ab', { peer: 'ab', nickname });
    const line = kept.line(1);
    expect(line).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
    expect(JSON.parse(line).details.nickname).toBe(nickname);
  });
});

function name(called: string, addresses: string[] = []) {
  return { peer: 'aa', nickname: 'a', name: called, network: 'default', container: 'c', addresses };
}

describe('a sentence', () => {
  it('is there for a kind that only a newer router knows, too', () => {
    const newer = { kind: 'moon-rises', details: { phase: 'full' } } as unknown as WeftEvent;
    expect(sentence(newer)).toBe('{"phase":"full"}');
  });
});

describe('who reads events over a socket', () => {
  let directory: string;
  let server: Server;
  let time: ManualClock;
  let kept: Journal;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'weft-events-'));
    time = clock();
    kept = journal(time);
    const streams = new EventStreams(kept);
    server = createServer((_request, response) => {
      const stream = streams.open({ since: 0 });
      stream.pipe(response);
      response.on('close', () => stream.destroy());
    });
    await new Promise<void>((resolve) => server.listen(join(directory, 'socket'), resolve));
  });

  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(directory, { recursive: true });
  });

  const ask = () => {
    const socket = connect(join(directory, 'socket'));
    socket.write('GET / HTTP/1.0\r\n\r\n');
    return socket;
  };

  it('gets them as they come, until there are no more', async () => {
    const socket = ask();
    const answer = text(socket);
    happen(kept, time, 3);
    await new Promise((resolve) => server.once('request', resolve));
    happen(kept, time, 2);
    kept.end();
    const lines = (await answer).split('\r\n\r\n')[1]?.trim().split('\n') ?? [];
    expect(lines.map((line) => JSON.parse(line).seq)).toEqual([1, 2, 3, 4, 5]);
  });

  it('loses what it reads too slowly, is told how much, and takes no memory meanwhile', async () => {
    const socket = ask();
    const request = new Promise((resolve) => server.once('request', resolve));
    socket.pause();
    await request;
    for (let round = 0; round < 40; round += 1) {
      happen(kept, time, 500);
      await new Promise((resolve) => setImmediate(resolve));
    }
    kept.end();
    const [connection] = await Promise.all([text(socket), socket.resume()]);
    const lines = (connection.split('\r\n\r\n')[1]?.trim().split('\n') ?? []).map((line) => JSON.parse(line));
    const lost = lines.filter(({ kind }) => kind === 'lost');
    const told = lines.length - lost.length;
    const missing = lost.reduce((sum, { from, to }) => sum + to - from + 1, 0);
    expect(lost.map(({ reason }) => reason)).toContain('slow');
    expect(told + missing).toBe(20_000);
    expect(lines.at(-1)).toMatchObject({ seq: 20_000 });
  });

  it('is refused when 64 read already, and not when one of them went', async () => {
    const streams = new EventStreams(kept);
    const all = Array.from({ length: 64 }, () => streams.open({}));
    expect(() => streams.open({})).toThrow(expect.objectContaining({ code: 'too-many-readers' }));
    const [first] = all;
    await new Promise((resolve) => first?.once('close', resolve).destroy());
    for (const stream of [...all, streams.open({})]) stream.destroy();
    expect(kept.listenerCount('news')).toBe(0);
  });
});
