// licences [modules]: prints under which licences the programs are that a package of weft brings along: the npm modules of the bundle, from the lock
// file, and, but for `modules`, what Node.js says of itself where its licence is beside it.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
for (const [path, { dev, optional, version, license }] of Object.entries(packages).sort(([a], [b]) =>
  a < b ? -1 : 1,
)) {
  if (path === '' || dev || (optional && !existsSync(path))) continue;
  print(
    `${path.slice(path.lastIndexOf('node_modules/') + 13)} ${version} (${license ?? 'see below'})`,
    licenceIn(path),
  );
}
if (process.argv[2] !== 'modules') {
  const home = dirname(dirname(process.execPath));
  const own = [join(home, 'LICENSE'), join(home, 'share/doc/nodejs/LICENSE')].find(existsSync);
  print(`Node.js ${process.version}`, own && readFileSync(own, 'utf8'));
}

function licenceIn(directory) {
  const name = existsSync(directory) && readdirSync(directory).find((each) => /^licen[cs]e/i.test(each));
  return name ? readFileSync(join(directory, name), 'utf8') : undefined;
}

function print(title, text = '') {
  console.log(`\n${'-'.repeat(78)}\n${title}\n\n${text.trim()}`);
}
