/** What deploy/grafana/weft.json asks Prometheus, as Grafana would put it. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FILE = fileURLToPath(new URL('../deploy/grafana/weft.json', import.meta.url));

interface Dashboard {
  readonly panels: readonly { readonly targets?: readonly { readonly expr: string }[] }[];
}

/** All of its expressions, for all routers, with rates over `interval`. */
export function dashboardExpressions(interval = '1m'): string[] {
  const { panels } = JSON.parse(readFileSync(FILE, 'utf8')) as Dashboard;
  return panels
    .flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
    .map((expr) => expr.replaceAll('$instance', '.*').replaceAll('$__rate_interval', interval));
}
