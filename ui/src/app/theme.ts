/*
 * Dark and light: as the system has it, or as was chosen for this tab.
 */
import { Store } from '../session/store';

export type Theme = 'system' | 'light' | 'dark';

const KEY = 'holdfast-theme';
const prefersDark = matchMedia('(prefers-color-scheme: dark)');

function kept(): Theme {
  const value = sessionStorage.getItem(KEY);
  return value === 'light' || value === 'dark' ? value : 'system';
}

export const theme = new Store<Theme>(kept());

function apply(): void {
  const chosen = theme.get();
  const dark = chosen === 'dark' || (chosen === 'system' && prefersDark.matches);
  document.documentElement.classList.toggle('pf-v6-theme-dark', dark);
}

export function chooseTheme(chosen: Theme): void {
  sessionStorage.setItem(KEY, chosen);
  theme.set(chosen);
}

export function startTheme(): void {
  apply();
  theme.watch(apply);
  prefersDark.addEventListener('change', apply);
}
