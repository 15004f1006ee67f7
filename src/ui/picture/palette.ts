import { KIND_ORDER, KINDS, type Kind } from '../kinds.js';

/** The colours of page.css, as a canvas understands them. */
export interface Palette {
  readonly kinds: Readonly<Record<Kind, string>>;
  readonly text: string;
  readonly quiet: string;
  readonly faint: string;
  readonly ground: string;
  readonly host: string;
  readonly self: string;
  readonly lost: string;
  readonly badge: string;
  readonly focus: string;
}

/** To be read again when the theme is another one. */
export function readPalette(): Palette {
  const probe = document.createElement('span');
  document.body.append(probe);
  const colour = (name: string) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const kinds = Object.fromEntries(KIND_ORDER.map((kind) => [kind, colour(KINDS[kind].colour)]));
  const palette = {
    kinds: kinds as Record<Kind, string>,
    text: colour('--text'),
    quiet: colour('--quiet'),
    faint: colour('--faint-line'),
    ground: colour('--stage'),
    host: colour('--host'),
    self: colour('--self'),
    lost: colour('--lost'),
    badge: colour('--badge'),
    focus: colour('--focus'),
  };
  probe.remove();
  return palette;
}
