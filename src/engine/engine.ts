import { existsSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import Type from 'typebox';
import { messageOf, systemCode, WeftError } from '../errors.js';
import { validator } from '../validate.js';

const TIMEOUT = 5_000;
const SOCKETS = ['/var/run/docker.sock', '/run/podman/podman.sock'];

const Id = Type.String({ pattern: '^[0-9a-f]{12,64}$' });
const Labels = Type.Optional(Type.Union([Type.Record(Type.String(), Type.String()), Type.Null()]));

const Inspected = Type.Object({
  Id,
  Name: Type.String(),
  Image: Type.Optional(Type.String()),
  State: Type.Object({ Pid: Type.Integer({ minimum: 0 }) }),
  Config: Type.Object({
    Hostname: Type.Optional(Type.String()),
    Domainname: Type.Optional(Type.String()),
    Labels,
  }),
});
const parseInspected = validator('engine-answer', "the container engine's description", Inspected);

const Listed = Type.Array(Type.Object({ Id }));
const parseListed = validator('engine-answer', "the container engine's list", Listed);

const Image = Type.Object({ Config: Type.Optional(Type.Union([Type.Object({ Labels }), Type.Null()])) });
const parseImage = validator('engine-answer', "the container engine's description of an image", Image);

const Event = Type.Object({
  Type: Type.String(),
  Action: Type.String(),
  Actor: Type.Object({ ID: Type.String() }),
});
const parseEvent = validator('engine-answer', "the container engine's event", Event);

/** A container as its engine describes it. */
export interface EngineContainer {
  /** Of 64 hexadecimal digits. */
  readonly id: string;
  readonly name: string;
  /** Of its first process; undefined while it does not run. */
  readonly pid: number | undefined;
  /** With domain name, where it has one. */
  readonly hostname: string;
  /** As the engine calls it. */
  readonly image: string;
  /** Its own, and those of its image. */
  readonly labels: Readonly<Record<string, string>>;
}

/** What happened to a container; `connected`: events before this one may have been missed. */
export type EngineEvent = { readonly kind: 'connected' } | { readonly kind: Change; readonly id: string };

type Change = 'started' | 'ended' | 'renamed' | 'removed';

const KINDS: Readonly<Record<string, Change>> = {
  start: 'started',
  die: 'ended',
  rename: 'renamed',
  destroy: 'removed',
  remove: 'removed', // as Podman calls it
};

/** The sockets of the engines that this host may have: what DOCKER_HOST says, else where Docker and Podman listen. */
export function engineSockets(environment: NodeJS.ProcessEnv = process.env): string[] {
  const chosen = environment.DOCKER_HOST;
  if (chosen === undefined || chosen === '') return SOCKETS;
  return chosen.startsWith('unix://') ? [chosen.slice('unix://'.length)] : [];
}

/** One engine. */
export class Engine {
  readonly #socketPath: string;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  /** It may answer: its socket is there. Costs next to nothing where it is not. */
  get isHere(): boolean {
    return existsSync(this.#socketPath);
  }

  /** Finds a container by name or (the beginning of its) id; undefined when there is none. Rejects with `engine-absent` or `engine-failed`. */
  async inspect(container: string): Promise<EngineContainer | undefined> {
    const answer = await this.#ask(`/containers/${encodeURIComponent(container)}/json`);
    if (answer === undefined) return undefined;
    const { Id, Name, Image = '', State, Config } = parseInspected(answer);
    const { Hostname = '', Domainname = '', Labels } = Config;
    return {
      id: Id,
      name: Name.replace(/^\//, ''),
      pid: State.Pid === 0 ? undefined : State.Pid,
      hostname: Domainname === '' ? Hostname : `${Hostname}.${Domainname}`,
      image: Image,
      labels: Labels ?? {},
    };
  }

  /** The ids of the containers that run and have a label. Rejects as `inspect` does. */
  async running(label: string): Promise<string[]> {
    const filters = JSON.stringify({ label: [label], status: ['running'] });
    const answer = await this.#ask(`/containers/json?filters=${encodeURIComponent(filters)}`);
    return parseListed(answer ?? []).map(({ Id }) => Id);
  }

  /** The labels of an image; of one that is gone nothing is known. Rejects as `inspect` does. */
  async imageLabels(image: string): Promise<Readonly<Record<string, string>>> {
    const answer = await this.#ask(`/images/${encodeURIComponent(image)}/json`);
    return parseImage(answer ?? {}).Config?.Labels ?? {};
  }

  /** Events from now on, until the signal or the engine ends it. Throws when the engine does not answer. */
  async *events(signal: AbortSignal): AsyncGenerator<EngineEvent> {
    const filters = JSON.stringify({ type: ['container'], event: Object.keys(KINDS) });
    const response = await this.#get(`/events?filters=${encodeURIComponent(filters)}`, signal);
    if (response.statusCode !== 200) throw this.#failed(new Error(`status ${response.statusCode}`));
    yield { kind: 'connected' };
    for await (const line of createInterface({ input: response, signal })) {
      const event = eventOf(line);
      if (event !== undefined) yield event;
    }
  }

  /** The answer's content; undefined when there is no such thing. */
  async #ask(path: string): Promise<unknown> {
    let response: IncomingMessage;
    try {
      response = await this.#get(path);
    } catch (error) {
      throw this.#failed(error);
    }
    const body = await text(response);
    if (response.statusCode === 404) return undefined;
    if (response.statusCode !== 200) throw this.#failed(new Error(`status ${response.statusCode}`));
    return JSON.parse(body);
  }

  #get(path: string, signal?: AbortSignal): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const options = { socketPath: this.#socketPath, path, headers: { host: 'localhost' }, signal };
      const sent = request(options, (response) => {
        if (signal !== undefined) sent.setTimeout(0); // events may be rare
        resolve(response);
      });
      sent.setTimeout(TIMEOUT, () => sent.destroy(new Error(`nothing within ${TIMEOUT / 1000} s`)));
      sent.on('error', reject);
      sent.end();
    });
  }

  #failed(cause: unknown): WeftError {
    const reason = messageOf(cause);
    const absent = ['ENOENT', 'ECONNREFUSED'].includes(systemCode(cause) ?? '');
    return new WeftError(
      absent ? 'engine-absent' : 'engine-failed',
      `the container engine at ${this.#socketPath} does not answer as it should: ${reason}`,
      { cause },
    );
  }
}

function eventOf(line: string): EngineEvent | undefined {
  if (line.trim() === '') return undefined;
  const { Type: type, Action, Actor } = parseEvent(JSON.parse(line));
  const kind = KINDS[Action];
  return type === 'container' && kind !== undefined ? { kind, id: Actor.ID } : undefined;
}
