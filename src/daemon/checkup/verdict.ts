import type { CheckCell, PeerCheck } from '../../api/index.js';
import type { ConnectionView } from '../../overlay/index.js';
import type { Findings } from './questioner.js';

export interface Facts {
  /** Undefined: the time was over before the peer's turn. */
  readonly findings: Findings | undefined;
  /** Nobody has heard of the peer for a while. */
  readonly down: boolean;
  /** Undefined: the data plane does not know the peer. */
  readonly connection: ConnectionView | undefined;
  /** Of the containers at both ends, the smaller one. */
  readonly mtu: number;
}

type Verdict = Omit<PeerCheck, 'peer' | 'nickname'>;

const OK: CheckCell = { state: 'ok', finding: 'ok' };
const UNKNOWN: CheckCell = { state: 'unknown', finding: '-' };

/** What is to be said of a peer, by what was seen of it. */
export function verdictOf({ findings, ...facts }: Facts): Verdict {
  if (findings === undefined) {
    const late = fail('no time', 'give the check more time, by --timeout');
    return { control: late, data: UNKNOWN, mtu: UNKNOWN, multicast: UNKNOWN, names: UNKNOWN };
  }
  const { control, out, back } = findings;
  const works = out && (back || !control);
  return {
    control: control ? OK : noControl(facts),
    data: dataCell(findings, facts),
    mtu: works ? mtuCell(findings, facts) : UNKNOWN,
    multicast: works && control ? multicastCell(findings) : UNKNOWN,
    names: control ? namesCell(findings) : UNKNOWN,
  };
}

function fail(finding: string, remedy: string): CheckCell {
  return { state: 'fail', finding, remedy };
}

function noControl({ down }: Pick<Facts, 'down'>): CheckCell {
  return down
    ? fail(
        'down',
        'see whether its host is up, its router runs (`weft status` there), and TCP passes between the hosts; `weft rmpeer` if it is gone for good',
      )
    : fail(
        'no answer',
        'see whether its router answers (`weft status` there) and is of this version, and whether TCP passes between the hosts: `weft status targets` has the last errors',
      );
}

function dataCell({ control, out, back }: Findings, { connection }: Omit<Facts, 'findings'>): CheckCell {
  const reason = connection?.reason;
  const remedy =
    reason ??
    'let the UDP port pass between the hosts, in both directions: `weft status paths` shows which addresses were tried';
  if (!out) return fail(control && back ? 'not to it' : 'no way', remedy);
  if (control && !back)
    return fail('not from it', `on that host, \`weft status paths\` says what it tried: ${UDP_BACK}`);
  if (connection?.path === 'tcp') return { state: 'warn', finding: 'over TCP', remedy };
  if (connection?.path === 'relay')
    return { state: 'warn', finding: `through ${connection.viaNickname ?? 'another'}`, remedy };
  return OK;
}

const UDP_BACK = 'its packets must reach the UDP port of this one';

function mtuCell(findings: Findings, { mtu, connection }: Omit<Facts, 'findings'>): CheckCell {
  const { control, fullOut, fullBack } = findings;
  if (fullOut && (fullBack || !control)) return OK;
  const where = fullOut ? 'from it' : control && fullBack ? 'to it' : 'both ways';
  const carried = connection?.pathMtu ?? null;
  const path = carried === null || fullOut ? '' : ` (the path carries ${carried} bytes, headers and all)`;
  return fail(
    `cut ${where}`,
    `full packets of containers (${mtu} bytes) pass in pieces only${path}: let the network between the hosts carry larger packets, or launch all routers anew with a smaller --mtu`,
  );
}

function multicastCell({ hailed, heard }: Findings): CheckCell {
  if (heard) return OK;
  if (!hailed) {
    return fail(
      'not sent',
      'what goes to everybody is stopped on this host: by a loop (`weft events` and the log name it), or since its bridge is not there (`weft doctor`)',
    );
  }
  return fail(
    'not heard',
    'what goes to everybody is stopped there: by a loop (`weft events` on that host names it), or since its bridge is not there (`weft doctor` on that host)',
  );
}

function namesCell({ ourName, theirName }: Findings): CheckCell {
  if (ourName === false || theirName === false) {
    const where = ourName !== false ? 'unknown here' : theirName !== false ? 'unknown there' : 'unknown';
    return fail(
      where,
      'names travel over the control links within seconds: check again; if it stays so, look for warnings about names in daemon.log of both hosts',
    );
  }
  return ourName === null && theirName === null ? UNKNOWN : OK;
}
