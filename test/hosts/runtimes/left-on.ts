import type { Host } from '../../lab/index.js';

/** What containers of a runtime left on a host. */
export async function leftOn(host: Host): Promise<string[]> {
  const { attachments, dns, exposures, ipam } = await host.report();
  const links = await host.ipJson<{ ifname: string }[]>('link');
  const own = exposures.map(({ address }) => address).length / 2;
  return [
    ...attachments.map(({ target }) => `the attachment of ${target}`),
    ...dns.names.filter(({ nickname }) => nickname === host.name).map(({ name }) => `the name ${name}`),
    ...(ipam.allocated > own ? [`${ipam.allocated - own} addresses`] : []),
    ...links.filter(({ ifname }) => ifname.startsWith('wv')).map(({ ifname }) => `the interface ${ifname}`),
  ];
}
