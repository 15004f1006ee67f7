import Type from 'typebox';
import type { App } from '../app.js';
import type { RouterControl } from '../control.js';

/** So many words are told at most: nobody chooses from more. */
const MAX_WORDS = 1_000;

const KINDS = ['peers', 'containers', 'networks', 'names', 'targets', 'policies'] as const;
type Kind = (typeof KINDS)[number];

const WordsParams = Type.Object({ kind: Type.Union(KINDS.map((kind) => Type.Literal(kind))) });
const WordsQuery = Type.Object({ begin: Type.Optional(Type.String({ maxLength: 256 })) });

/** What the router knows, as words that a shell may complete: as text, for a program that has a few milliseconds. */
export function wordsRoute(app: App, router: RouterControl): void {
  const summary = 'words that complete an argument, one a line, as text';
  const schema = { summary, params: WordsParams, querystring: WordsQuery };
  app.get('/words/:kind', { schema }, async ({ params, query }, reply) => {
    const { begin = '' } = query;
    const words = new Set(
      (await wordsOf(params.kind, router)).filter((word) => isLine(word) && word.startsWith(begin)),
    );
    const lines = [...words].sort().slice(0, MAX_WORDS);
    return reply.type('text/plain; charset=utf-8').send(lines.map((word) => `${word}\n`).join(''));
  });
}

/** What has control characters, as no name of ours has, cannot be told so. */
function isLine(word: string): boolean {
  return !/\p{Cc}/u.test(word);
}

async function wordsOf(kind: Kind, router: RouterControl): Promise<string[]> {
  switch (kind) {
    case 'peers':
      return peersOf(router);
    case 'containers':
      return router.attachments().map(({ name, target }) => name ?? target);
    case 'networks':
      return router.networks.list().map(({ name }) => name);
    case 'names':
      return router.names.list().map(({ name }) => name);
    case 'targets':
      return router.targets().map(({ target }) => target);
    case 'policies':
      return (await router.policies.list()).policies.map(({ namespace, name }) => `${namespace}/${name}`);
  }
}

/** Where several have one nickname, only the ids tell which is meant. */
function peersOf(router: RouterControl): string[] {
  const others = router.peers().filter(({ self }) => !self);
  const bearers = new Map<string, number>();
  for (const { nickname } of others) bearers.set(nickname, (bearers.get(nickname) ?? 0) + 1);
  return others.map(({ peer, nickname }) =>
    nickname !== '' && bearers.get(nickname) === 1 ? nickname : peer,
  );
}
