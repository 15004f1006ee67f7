import { readFileSync } from 'node:fs';

/** How each family of distributions installs packages, and what it calls those that have another name in Debian. */
const FAMILIES: readonly {
  readonly ids: readonly string[];
  readonly install: string;
  readonly names?: Readonly<Record<string, string>>;
}[] = [
  { ids: ['debian', 'ubuntu'], install: 'apt-get install' },
  {
    ids: ['fedora', 'rhel', 'centos'],
    install: 'dnf install',
    names: { iproute2: 'iproute', 'iputils-ping': 'iputils' },
  },
  { ids: ['suse', 'opensuse'], install: 'zypper install', names: { 'iputils-ping': 'iputils' } },
  { ids: ['alpine'], install: 'apk add' },
  { ids: ['arch'], install: 'pacman -S', names: { 'iputils-ping': 'iputils' } },
];

/** What installs these packages of Debian on the distribution of an os-release(5) file. */
export function installing(packages: readonly string[], osRelease = osReleaseHere()): string {
  const ids = [...osRelease.matchAll(/^ID(?:_LIKE)?="?([^"\n]*)"?$/gm)].flatMap(([, value = '']) =>
    value.split(' '),
  );
  const family = FAMILIES.find((each) => each.ids.some((id) => ids.includes(id)));
  if (family === undefined) return `install ${packages.join(' and ')}`;
  const names = packages.map((name) => family.names?.[name] ?? name);
  return `\`${family.install} ${names.join(' ')}\``;
}

function osReleaseHere(): string {
  for (const path of ['/etc/os-release', '/usr/lib/os-release']) {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      // the next one, or none
    }
  }
  return '';
}
