import type { CniStatus } from '../../api/index.js';
import { pairs } from '../terminal/index.js';

export function cniText({ installation, files, interfaces, fault }: CniStatus): string {
  const isInstalled = installation !== null;
  return pairs([
    ['installed', isInstalled ? files.join(' ') : 'no: `weft cni install`'],
    ...(isInstalled ? [['network', `${installation.name}, in weft ${installation.network}`] as const] : []),
    ['interfaces', String(interfaces)],
    ...(fault === null ? [] : [['fault', fault] as const]),
  ]);
}
