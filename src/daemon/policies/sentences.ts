import type { Direction, End, Explanation, Question, Side } from '../../policy/index.js';

/** Why a connection may begin or not, a sentence for each end. */
export function reasonsOf({ sides }: Explanation, question: Question): string[] {
  if (sides.length === 0) return ['policies are not about a container that speaks to itself'];
  return sides.map((side) =>
    reasonOf(side, endText(side.direction === 'egress' ? question.source : question.destination)),
  );
}

/** `default/web (10.32.0.1)`, or the address alone. */
export function endText({ address, pod }: End): string {
  return pod === undefined ? address : `${pod.namespace}/${pod.name} (${address})`;
}

const DOES: Readonly<Record<Direction, string>> = { egress: 'send', ingress: 'be sent' };

function reasonOf({ direction, allowed, selectedBy, allowedBy }: Side, end: string): string {
  const does = DOES[direction];
  if (allowedBy !== undefined) {
    return `${end} may ${does} this: ${direction} rule ${allowedBy.rule + 1} of ${allowedBy.policy} allows it`;
  }
  if (allowed) return `${end} may ${does} anything: no policy selects it for ${direction}`;
  const whose = selectedBy.length === 1 ? 'and none of its rules allows' : 'and none of their rules allows';
  const verb = selectedBy.length === 1 ? 'selects' : 'select';
  return `${end} may not ${does} this: ${selectedBy.join(', ')} ${verb} it for ${direction}, ${whose} it`;
}
