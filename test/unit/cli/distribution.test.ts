import { expect, test } from 'vitest';
import { installing } from '../../../src/cli/distribution.js';

test.each([
  ['Debian', 'NAME="Debian"\nID=debian\n', '`apt-get install iproute2 nftables`'],
  ['Mint', 'ID=linuxmint\nID_LIKE="ubuntu debian"\n', '`apt-get install iproute2 nftables`'],
  ['Fedora', 'ID=fedora\nVERSION_ID=41\n', '`dnf install iproute nftables`'],
  ['Rocky', 'ID="rocky"\nID_LIKE="rhel centos fedora"\n', '`dnf install iproute nftables`'],
  ['openSUSE', 'ID="opensuse-leap"\nID_LIKE="suse opensuse"\n', '`zypper install iproute2 nftables`'],
  ['Alpine', 'ID=alpine\n', '`apk add iproute2 nftables`'],
  ['Arch', 'ID=arch\n', '`pacman -S iproute2 nftables`'],
  ['a distribution that nobody knows', 'ID=ours\n', 'install iproute2 and nftables'],
  ['one that does not say what it is', '', 'install iproute2 and nftables'],
])('what is missing on %s is installed in its own way', (_name, osRelease, line) => {
  expect(installing(['iproute2', 'nftables'], osRelease)).toBe(line);
});
