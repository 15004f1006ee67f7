#!/usr/bin/env node
// sbom IMAGE: prints a software bill of materials of a release (SPDX 2.3): the npm modules of the lock file, Node.js, what is linked into the native
// programs, and what of Debian is in the image of that archive. The same commit on the same machine gives the same bytes.
import { execFileSync } from 'node:child_process';

/** Packages whose libraries and headers are in the native programs. Some architectures do not have all of them. */
const LINKED = [
  'libsodium-dev',
  'libssl-dev',
  'libseccomp-dev',
  'libipsec-mb-dev',
  'nlohmann-json3-dev',
  'libc6-dev',
  'libstdc++-12-dev',
];

const [image] = process.argv.slice(2);
if (image === undefined) {
  console.error('usage: sbom IMAGE');
  process.exit(2);
}
process.chdir(`${import.meta.dirname}/..`);
const sbom = JSON.parse(run('npm', 'sbom', '--sbom-format=spdx', '--package-lock-only', '--omit=dev'));
const [weft] = sbom.documentDescribes;
const commit = run('git', 'rev-parse', 'HEAD').trim();
sbom.documentNamespace = `http://spdx.org/spdxdocs/${sbom.name.replace('@', '-')}-${commit}`;
sbom.creationInfo.created = run(
  'git',
  'log',
  '-1',
  '--format=%cd',
  '--date=format-local:%Y-%m-%dT%H:%M:%SZ',
).trim();

const node = process.version.slice(1);
add('Node.js', node, `pkg:generic/node@${node}`, 'CONTAINS');
for (const each of installed(LINKED)) addDebian(each, 'STATIC_LINK');
for (const each of installed(owners(filesIn(image)))) addDebian(each, 'CONTAINS');
console.log(JSON.stringify(sbom, null, 2));

/** `{name, version, architecture}` of those packages that this machine has. */
function installed(names) {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is dpkg-query's
  const format = '${db:Status-Abbrev} ${Package} ${Version} ${Architecture}\n';
  return tryRun('dpkg-query', '--show', `--showformat=${format}`, ...names)
    .split('\n')
    .filter((line) => line.startsWith('ii'))
    .map((line) => line.split(/ +/))
    .map(([, name, version, architecture]) => ({ name, version, architecture }));
}

/** The Debian packages that own these files, as far as one does. A directory may be known by another name, since /lib is /usr/lib now. */
function owners(files) {
  const known = files.flatMap((file) => {
    const short = file.replace(/^\/usr/, '');
    return [short, `/usr${short}`, `/sbin/${base(file)}`, `/usr/sbin/${base(file)}`];
  });
  const lines = tryRun('dpkg-query', '--search', ...known).split('\n');
  return [
    ...new Set(
      lines
        .filter((line) => line.includes(': '))
        .flatMap((line) => line.slice(0, line.indexOf(': ')).split(', ')),
    ),
  ].sort();
}

function base(file) {
  return file.slice(file.lastIndexOf('/') + 1);
}

/** The programs and libraries that the image has of this machine. */
function filesIn(archive) {
  const list = 'tar --extract --to-stdout --file "$0" layer.tar.gz | tar --list --gzip';
  return run('sh', '-c', list, archive)
    .split('\n')
    .filter((path) => /^\.\/(usr\/bin|lib\d*)\/.*[^/]$/.test(path))
    .map((path) => path.slice(1));
}

function addDebian({ name, version, architecture }, relation) {
  add(name, version, `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${architecture}`, relation);
}

function add(name, versionInfo, referenceLocator, relationshipType) {
  const SPDXID = `SPDXRef-Package-native-${name.replaceAll(/[^A-Za-z0-9.-]/g, '-')}-${relationshipType.replace('_', '-')}`;
  sbom.packages.push({
    name,
    SPDXID,
    versionInfo,
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator }],
  });
  sbom.relationships.push({ spdxElementId: weft, relatedSpdxElement: SPDXID, relationshipType });
}

function run(program, ...args) {
  const environment = { ...process.env, TZ: 'UTC0', LC_ALL: 'C.UTF-8' };
  return execFileSync(program, args, { encoding: 'utf8', maxBuffer: 64 << 20, env: environment });
}

/** The same where some of what is asked for may not be there. */
function tryRun(program, ...args) {
  try {
    return execFileSync(program, args, {
      encoding: 'utf8',
      maxBuffer: 64 << 20,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch (error) {
    return error.stdout;
  }
}
