import { part, setText } from './dom.js';

const THEMES = ['auto', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];
const KEY = 'weft-theme';

/** Follows the system, unless somebody chose otherwise. `onChange` is called whenever colours are others. */
export function startTheme(onChange: () => void): void {
  const toggle = part('theme', HTMLButtonElement);
  let theme = remembered();
  const show = (shown: Theme) => {
    document.documentElement.style.colorScheme = shown === 'auto' ? 'light dark' : shown;
    setText(toggle, `Theme: ${theme}`);
    onChange();
  };
  toggle.addEventListener('click', () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'auto';
    remember(theme);
    show(theme);
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => show(theme));
  addEventListener('beforeprint', () => show('light')); // paper is white
  addEventListener('afterprint', () => show(theme));
  show(theme);
}

function remembered(): Theme {
  try {
    const stored = localStorage.getItem(KEY);
    return THEMES.find((theme) => theme === stored) ?? 'auto';
  } catch {
    return 'auto'; // a browser may keep nothing for us
  }
}

function remember(theme: Theme): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // then it is as long as the page is open
  }
}
