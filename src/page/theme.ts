/** Dark or light: as the system says, until the user chooses. */

const KEY = 'cdvault-theme';

/** @param onChange called when the system changes and the user has not chosen */
export function startTheme(onChange: () => void): void {
  const system = matchMedia('(prefers-color-scheme: light)');
  const show = () => {
    document.documentElement.dataset['theme'] = stored() ?? (system.matches ? 'light' : 'dark');
  };
  show();
  system.addEventListener('change', () => {
    show();
    onChange();
  });
}

export function switchTheme(): void {
  const next = document.documentElement.dataset['theme'] === 'dark' ? 'light' : 'dark';
  document.documentElement.dataset['theme'] = next;
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // A page that is a file may have no storage; the choice then lasts until it is closed.
  }
}

function stored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}
