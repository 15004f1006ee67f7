import { CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { weftProgram } from '../../../src/cli/program.js';

/** What the command says to arguments that make it do nothing. */
async function said(...args: string[]): Promise<{ out: string; err: string }> {
  const spoken = { out: '', err: '' };
  const program = await weftProgram({
    writeOut: (text) => {
      spoken.out += text;
    },
    writeErr: (text) => {
      spoken.err += text;
    },
  });
  await expect(program.parseAsync(args, { from: 'user' })).rejects.toThrow(CommanderError);
  return spoken;
}

function headings(help: string): string[] {
  return [...help.matchAll(/^([A-Z].*):$/gm)].map(([, heading = '']) => heading);
}

describe('the help', () => {
  it('has the commands under headings', async () => {
    const { out } = await said('--help');
    expect(headings(out)).toEqual([
      ...['Options', 'Start and join', 'Put containers on the network', 'See how it goes'],
      ...[
        'Names, networks and policies',
        'Hosts',
        'The router of this host',
        'Examples, two hosts on one Ethernet',
      ],
    ]);
  });

  it('tells the options of `weft launch` that most need first, and those of every command last', async () => {
    const { out } = await said('launch', '--help');
    const options = [...out.matchAll(/^ {2}(?:-\w, )?--([a-z-]+)/gm)].map(([, name]) => name);
    expect(options.slice(0, 5)).toEqual(['token', 'password-file', 'nickname', 'advertise', 'docker']);
    expect(options.slice(-4)).toEqual(['output', 'run-dir', 'state-dir', 'help']);
    expect(headings(out)).toEqual(expect.arrayContaining(['Most used', 'Common options', 'Examples']));
    expect(headings(out)).not.toContain('Options');
  });

  it.each([
    ['docker', 'enable'],
    ['cni', 'install'],
    ['kubernetes', 'status'],
    ['network', 'create'],
    ['policy', 'apply'],
  ])('comes by itself for a `weft %s` that is not told what to do', async (command, action) => {
    const { out, err } = await said(command);
    expect(out).toBe('');
    expect(err).toMatch(new RegExp(`^Usage: weft ${command} [\\s\\S]*^ {2}${action} `, 'm'));
  });
});

it.each([
  [['stauts'], 'status'],
  [['network', 'lss'], 'ls'],
  [['launch', '--tokn', 'x'], '--token'],
  [['ps', '--outptu', 'json'], '--output'],
])('guesses what was meant by `weft %j`', async (args, meant) => {
  const { err } = await said(...args);
  expect(err).toMatch(/^weft: unknown /);
  expect(err).toContain(`(Did you mean ${meant}?)`);
});
