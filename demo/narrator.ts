/** How the demo speaks: steps, commands and what they answered; colour only on a terminal. */

const colours = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
const paint = (code: number) => (text: string) => (colours ? `\u001b[${code}m${text}\u001b[0m` : text);

export const bold = paint(1);
export const dim = paint(2);
const green = paint(32);
const cyan = paint(36);

let steps = 0;

/** Begins a step. */
export function step(title: string): void {
  steps += 1;
  console.log(`\n${bold(`${steps}  ${title}`)}`);
}

/** Says that something is so. */
export function fact(text: string): void {
  console.log(`   ${green('✓')} ${text}`);
}

/** Shows a command as it would be typed on a host. */
export function command(where: string, line: string): void {
  console.log(`   ${dim(`${where} $`)} ${cyan(line)}`);
}

/** Shows what a command answered. */
export function answer(text: string): void {
  for (const line of text.trimEnd().split('\n')) console.log(`     ${line}`);
}

/** Shows something to copy and paste, with what it is for. */
export function tip(purpose: string, line: string): void {
  console.log(`   ${dim(`# ${purpose}`)}\n   ${cyan(line)}\n`);
}
