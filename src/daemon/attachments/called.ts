/** What containers are called, and which one a user means. */
import type { AttachRequest } from '../../api/index.js';
import { canonicalTarget } from '../../hostnet/index.js';
import { mergedLabels } from '../../labels.js';
import type { Called } from '../state/index.js';
import { ambiguous, type Fate, type Found, parseTarget, type TargetKind } from './containers.js';
import type { Entry } from './table/index.js';
import { everybody } from './table/index.js';

/** What a container is called from now on: as the request says, else as before, else as it calls itself. */
export function calledBy(request: AttachRequest, container: Found, before: Entry | undefined): Called {
  const known = before && everybody(before).find(({ id }) => id === container.id);
  // A process, or another name of the namespace, is no other container.
  const same = known ?? (container.engine === null ? before : undefined);
  const { id, target, engine } = same ?? container;
  const isNamed = request.name === undefined ? same?.isNamed : true;
  return {
    ...{ id, target, engine },
    name: request.name ?? same?.name ?? container.name,
    hostname: request.hostname ?? same?.hostname ?? container.hostname,
    dns: request.dns ?? same?.dns ?? true,
    labels:
      request.labels === undefined
        ? (same?.labels ?? container.labels)
        : mergedLabels(request.labels, container.labels),
    ...(container.engine === null || container.name === null ? {} : { containerName: container.name }),
    ...(isNamed === undefined ? {} : { isNamed }),
  };
}

/** Follows what its engine calls a container now: what it is called after that, but not what a user chose. */
export function renamed<T extends Called>(called: T, containerName: string | undefined): T {
  const { containerName: former, isNamed, name, target } = called;
  if (containerName === undefined || containerName === former) return called;
  return {
    ...called,
    containerName,
    name: isNamed !== true && name === former ? containerName : name,
    target: target === former ? containerName : target,
  };
}

/** As its engine calls a container; undefined for what has none. */
export function nameOf(fate: Fate): string | undefined {
  if (fate.state === 'stopped') return fate.name;
  return fate.state === 'running' && fate.container.engine !== null
    ? (fate.container.name ?? undefined)
    : undefined;
}

/** Whether a user who writes this means that container. */
export function isMeant({ id, target, engine }: Called, text: string): boolean {
  const { kind, name } = parseTarget(text);
  if (kind === 'container') return engine !== null && [id, target].includes(name);
  if (kind === 'any') return [id, target].includes(name);
  return engine === null && target === canonicalTarget(text);
}

/** Throws `ambiguous-target` when several are meant. */
export function onlyOne(text: string, meant: readonly Called[]): Called | undefined {
  const [first, ...others] = meant;
  const other = others.find(({ id }) => id !== first?.id);
  if (first !== undefined && other !== undefined) throw ambiguous(text, [first, other].map(kindOf));
  return first;
}

function kindOf(called: Called): TargetKind {
  if (called.engine !== null) return 'container';
  return isProcess(called) ? 'pid' : 'netns';
}

/** True for one that was attached by the id of a process, which is used again for others. */
export function isProcess({ engine, target }: Pick<Called, 'engine' | 'target'>): boolean {
  return engine === null && (/^\d+$/.test(target) || target.startsWith('/proc/'));
}
