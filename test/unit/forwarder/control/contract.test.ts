import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import { afterAll, beforeAll, describe, expect, expectTypeOf, it, test } from 'vitest';
import { ControlClient } from '../../../../src/forwarder/control/client.js';
import {
  type AnswerOf,
  OPERATIONS,
  type Operation,
  type RequestOf,
  readAnswer,
} from '../../../../src/forwarder/control/contract.js';
import { EVENTS, parseEvent } from '../../../../src/forwarder/control/events.js';
import { endForwarders, Forwarder } from '../../../../src/forwarder/index.js';
import { validator } from '../../../../src/validate.js';
import { packageRoot } from '../../../../src/version.js';
import { freeUdpPort } from '../free-port.js';

const Fields = Type.Record(Type.String(), Type.Unknown());
const Refusal = Type.Object({ request: Fields, error: Type.String(), field: Type.Optional(Type.String()) });
/** docs/forwarder.md says what the parts are. */
const Examples = Type.Object({
  descriptors: Type.Optional(Type.Integer()),
  valid: Type.Array(Type.Object({ request: Fields, answer: Fields }), { minItems: 1 }),
  refused: Type.Optional(Type.Array(Refusal)),
  invalid: Type.Optional(Type.Array(Refusal)),
});
const Fixtures = Type.Object({
  operations: Type.Record(Type.String(), Examples),
  events: Type.Record(Type.String(), Fields),
});
const { operations, events } = validator(
  'file-corrupt',
  'control-socket.json',
  Fixtures,
)(JSON.parse(readFileSync(join(packageRoot(), 'test/fixtures/control-socket.json'), 'utf8')));

const all = Object.entries(operations).map(([name, examples]) => ({ name: name as Operation, ...examples }));

describe('the contract of the control socket', () => {
  test('has examples of every operation and every event, and the examples name no other', () => {
    expect(Object.keys(operations).sort()).toEqual(Object.keys(OPERATIONS).sort());
    expect(Object.keys(events).sort()).toEqual(Object.keys(EVENTS).sort());
  });

  describe.each(all)('$name', ({ name, valid, refused = [], invalid = [] }) => {
    const check = validator('internal', name, OPERATIONS[name].request);

    it('takes what is well-formed, whether the state of the forwarder allows it or not', () => {
      for (const { request } of [...valid, ...refused]) expect(check(request)).toEqual(request);
    });

    it('refuses what is malformed, and names the field', () => {
      // What is well-formed but unknown to it (a cipher, an offload, a version) the forwarder alone can tell.
      for (const { request, field = '' } of invalid.filter(({ error }) => error === 'bad-request')) {
        expect(() => check(request), JSON.stringify(request)).toThrow(field);
      }
    });

    it('is answered as in the example', () => {
      for (const { answer } of valid) expect(readAnswer(name, answer) ?? {}).toEqual(answer);
    });
  });

  test.each(Object.entries(events))('knows the fields of the event %s', (name, fields) => {
    expect(parseEvent(name, { event: name, ...fields })).toMatchObject({ name, fields });
  });

  test('is checked by the compiler, too', () => {
    expectTypeOf<'endpoint.fly'>().not.toExtend<Operation>();
    expectTypeOf<{ mac: string }>().not.toExtend<RequestOf<'endpoint.remove'>>();
    expectTypeOf<{ peer: string }>().not.toExtend<RequestOf<'dump'>>();
    expectTypeOf<AnswerOf<'probe'>>().toEqualTypeOf<{ id: number }>();
    expectTypeOf<AnswerOf<'peer.set'>>().toBeUndefined();
  });
});

const BINARY = join(packageRoot(), 'build/native/weft-forwarder');
const isBuilt = existsSync(BINARY);
if (!isBuilt)
  console.warn(`the examples are not held to the forwarder itself: ${BINARY} is missing (make build)`);

describe.skipIf(!isBuilt)('a running forwarder, which is asked all examples in their order', () => {
  let directory: string;
  let forwarder: Forwarder;
  let client: ControlClient;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'weft-contract-'));
    const controlPath = join(directory, 'forwarder.sock');
    forwarder = new Forwarder({
      binary: BINARY,
      controlPath,
      logPath: join(directory, 'forwarder.log'),
      port: await freeUdpPort(),
      workers: 1,
      udpPorts: 1,
      disabledOffloads: [],
      self: '0123456789abcdef',
      stormLimit: 5000,
    });
    await forwarder.start();
    client = await ControlClient.connect(controlPath);
    // It would start another when the last example stops this one.
    forwarder.detach();
  });

  afterAll(async () => {
    client.close();
    await endForwarders(join(directory, 'forwarder.sock'));
    await rm(directory, { recursive: true });
  });

  const ask = (name: Operation, request: Static<typeof Fields>): Promise<object | undefined> =>
    client.request(name, request as RequestOf<Operation>);

  // Who cannot attach descriptors is refused.
  const done = all.filter(({ descriptors = 0 }) => descriptors === 0);

  it.each(done)('answers $name', async ({ name, valid, refused = [], invalid = [] }) => {
    for (const { request, error } of invalid)
      await expect(ask(name, request)).rejects.toMatchObject({ code: error });
    for (const { request, answer } of valid) {
      expect(Object.keys((await ask(name, request)) ?? {}).sort()).toEqual(Object.keys(answer).sort());
    }
    for (const { request, error } of refused)
      await expect(ask(name, request)).rejects.toMatchObject({ code: error });
  });

  it('ends after the last of them', async () => {
    if (!client.closed) await once(client, 'close');
    await expect(client.dump()).rejects.toMatchObject({ code: 'forwarder-lost' });
  });
});
