import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { runPaths } from '../daemon/index.js';
import { errorFrom, systemCode, WeftError } from '../errors.js';
import { API_HEADER, PROTOCOL_VERSIONS } from '../protocol-versions.js';
import { linesOf } from '../text/index.js';

/** The router works on a request for so long at most, in milliseconds, unless the request says how long it may take. */
const TIMEOUT = 10_000;
/** No line of an answer that goes on is longer, in bytes. */
const LONGEST_LINE = 4 << 20;

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** Asks the router of a run directory. Rejects with the router's own error, `not-running`, or `version-mismatch`. */
export async function ask<Answer>(
  runDir: string,
  method: Method,
  path: string,
  body?: object,
  timeout = TIMEOUT,
): Promise<Answer> {
  const exchanged = await exchange(runDir, method, path, body, timeout);
  requireVersion(exchanged.api);
  return answerOf(exchanged);
}

/** The same of a router of whatever version: for the few things that all versions do alike (docs/install.md). */
export async function askAnyVersion<Answer>(runDir: string, method: Method, path: string): Promise<Answer> {
  return answerOf(await exchange(runDir, method, path, undefined, TIMEOUT));
}

interface Exchanged {
  readonly status: number;
  readonly content: string;
  /** The version of the API that it told. */
  readonly api: string | undefined;
}

function answerOf<Answer>({ status, content }: Exchanged): Answer {
  const answer: unknown = content === '' ? null : JSON.parse(content);
  if (status >= 200 && status < 300) return answer as Answer;
  throw errorOf(answer);
}

/** One that tells none is from before there was a version. */
function requireVersion(api: string | undefined): void {
  const ours = PROTOCOL_VERSIONS.api;
  if (api === undefined || api === `${ours}`) return;
  const message = `the router speaks version ${api} of the API, this command version ${ours}: use the command of the router's weft, or \`weft upgrade\` to have this version run`;
  throw new WeftError('version-mismatch', message);
}

function versionIn({ headers }: IncomingMessage): string | undefined {
  return headers[API_HEADER]?.toString();
}

function exchange(
  runDir: string,
  method: Method,
  path: string,
  body: object | undefined,
  timeout: number,
): Promise<Exchanged> {
  const payload = body === undefined ? undefined : JSON.stringify(body);
  const headers =
    payload === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) };
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: runPaths(runDir).api, method, path, headers }, (response) => {
      const { statusCode: status = 500 } = response;
      text(response).then((content) => resolve({ status, content, api: versionIn(response) }), reject);
    });
    sent.setTimeout(timeout, () => sent.destroy(new Error(`nothing within ${timeout / 1000} s`)));
    sent.on('error', (error) => reject(explain(error, runDir)));
    sent.end(payload);
  });
}

/**
 * The lines of an answer that goes on, each parsed, once the router has begun it. It ends when the router ends it, and rejects with `not-running`
 * when that breaks off.
 */
export async function follow<Line>(
  runDir: string,
  path: string,
  signal?: AbortSignal,
): Promise<AsyncIterable<Line>> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request({ socketPath: runPaths(runDir).api, path, signal }, resolve);
    sent.on('error', (error) => reject(explain(error, runDir)));
    sent.end();
  });
  requireVersion(versionIn(response));
  if (response.statusCode !== 200) throw errorOf(JSON.parse(await text(response)));
  return parsedLines<Line>(response, runDir);
}

async function* parsedLines<Line>(response: IncomingMessage, runDir: string): AsyncGenerator<Line> {
  const tooLong = () => new Error(`a line is longer than ${LONGEST_LINE} bytes`);
  try {
    for await (const line of linesOf(response, LONGEST_LINE, tooLong)) yield JSON.parse(line) as Line;
  } catch (error) {
    const message = `the router broke off (was it killed?): see daemon.log in ${runDir}`;
    throw new WeftError('not-running', message, { cause: error });
  }
}

function explain(error: Error, runDir: string): WeftError {
  const code = systemCode(error);
  if (code === 'ENOENT' || code === 'ECONNREFUSED') {
    return new WeftError(
      'not-running',
      `the router is not running (nothing answers in ${runDir}): start it with \`weft launch\`, or name another one with --run-dir`,
      { cause: error },
    );
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new WeftError(
      'no-privilege',
      `the router in ${runDir} belongs to another user: run weft as root`,
      {
        cause: error,
      },
    );
  }
  return new WeftError(
    'no-answer',
    `the router did not answer (${error.message}): see daemon.log in ${runDir}`,
    {
      cause: error,
    },
  );
}

function errorOf(answer: unknown): WeftError {
  if (typeof answer === 'object' && answer !== null && 'code' in answer && 'message' in answer) {
    if (answer.code === 'no-such-route') return unknownToRouter(String(answer.message));
    return errorFrom({ code: String(answer.code), message: String(answer.message) });
  }
  return new WeftError('no-answer', 'the router answered with something that is not of its API');
}

/** We ask only for what there is in the router of our own version. */
function unknownToRouter(said: string): WeftError {
  const message = `the router is of an earlier weft than this command (${said}): \`weft upgrade\` has this version run`;
  return new WeftError('no-such-route', message);
}
