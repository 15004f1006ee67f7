#!/usr/bin/env node
// npm-packages DIRECTORY CPU=NATIVE...: makes the npm packages of a built weft in DIRECTORY: `weft-router`, with the command and the daemon, and for each
// CPU (as Node.js calls it) one with the static native programs in NATIVE. The same tree and tools give the same bytes.
//
// No package has an install script. npm chooses by `os`, `cpu` and `libc` among the optional dependencies: only packages that were made are named there,
// since anybody could publish one that was not. The programs need no libc, but the addon of the daemon needs glibc.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';

const NAME = 'weft-router';
const PROGRAMS = ['weft-forwarder', 'weft-spawn', 'weft-cni'];
/** The prefix below which scripts/install is to put everything. */
const PREFIX = '/usr';

const [directory, ...natives] = process.argv.slice(2);
if (directory === undefined || natives.length === 0) {
  console.error('usage: npm-packages DIRECTORY CPU=NATIVE...');
  process.exit(2);
}
const target = resolve(directory);
process.chdir(join(import.meta.dirname, '..'));
process.umask(0o022);
const { version, description, license, engines, dependencies } = readJson('package.json');
const shared = { version, license, os: ['linux'], engines };

const stage = mkdtempSync('/tmp/weft-npm-');
try {
  mkdirSync(target, { recursive: true });
  const platforms = natives.map((each) => each.split('='));
  for (const [cpu, native] of platforms) packPlatform(cpu, native);
  packRouter(
    platforms[0][1],
    platforms.map(([cpu]) => platformName(cpu)),
  );
} finally {
  rmSync(stage, { recursive: true });
}

function packPlatform(cpu, native) {
  const root = join(stage, cpu);
  mkdirSync(join(root, 'bin'), { recursive: true });
  for (const program of PROGRAMS) {
    copyFileSync(join(native, program), join(root, 'bin', program));
    chmodSync(join(root, 'bin', program), 0o755);
  }
  copyFileSync('LICENSE', join(root, 'LICENSE'));
  copyFileSync('deploy/npm/PLATFORM.md', join(root, 'README.md'));
  pack(root, {
    name: platformName(cpu),
    description: `The native programs of weft for Linux on ${cpu}`,
    ...shared,
    cpu: [cpu],
    libc: ['glibc'],
    files: ['bin'],
  });
}

function packRouter(native, optional) {
  const root = installed(native);
  rmSync(join(root, 'bin'), { recursive: true });
  mkdirSync(join(root, 'bin'));
  copyFileSync('bin/weft', join(root, 'bin/weft'));
  for (const each of readdirSync(root, { recursive: true })) {
    if (each.endsWith('.map')) rmSync(join(root, each));
  }
  copyFileSync('deploy/npm/README.md', join(root, 'README.md'));
  writeFileSync(join(root, 'licences.txt'), run('node', 'scripts/licences.mjs', 'modules'));
  const addon = 'sodium-native';
  pack(root, {
    name: NAME,
    description,
    ...shared,
    type: 'module',
    bin: { weft: 'bin/weft' },
    files: ['bin', 'dist', 'licences.txt'],
    dependencies: { [addon]: dependencies[addon] },
    bundleDependencies: [addon],
    optionalDependencies: Object.fromEntries(optional.map((name) => [name, version])),
  });
}

/** A copy of what `make install` installs. */
function installed(native) {
  execFileSync('scripts/install', [PREFIX], {
    env: { ...process.env, DESTDIR: stage, NATIVE: native },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const root = join(stage, 'router');
  cpSync(join(stage, PREFIX, 'lib/weft'), root, { recursive: true });
  return root;
}

function pack(root, manifest) {
  writeFileSync(join(root, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  const options = ['--json', '--ignore-scripts', '--offline', '--pack-destination', target];
  const [{ filename, size }] = JSON.parse(run('npm', 'pack', root, ...options));
  console.log(`made ${join(directory, filename)} (${(size / 1e6).toFixed(1)} MB)`);
}

function run(program, ...args) {
  return execFileSync(program, args, { encoding: 'utf8', maxBuffer: 16 << 20 });
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

function platformName(cpu) {
  return `${NAME}-linux-${cpu}`;
}
