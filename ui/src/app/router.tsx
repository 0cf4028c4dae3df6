/*
 * The path below /ui is the place; links change it without loading anything.
 */
import type { AnchorHTMLAttributes } from 'react';
import { Store, useStore } from '../session/store';

const BASE = '/ui';

function current(): string {
  const path = location.pathname.slice(BASE.length).replace(/\/+$/, '');
  return path === '' ? '/' : path;
}

const path = new Store(current());
addEventListener('popstate', () => path.set(current()));

export function usePath(): string {
  return useStore(path);
}

export function hrefOf(to: string): string {
  return BASE + to;
}

export function navigate(to: string): void {
  if (to === path.get()) return;
  history.pushState(null, '', hrefOf(to));
  path.set(current());
  scrollTo(0, 0);
}

/** "/users/:id" against "/users/12": its parts, or null. */
export function match(pattern: string, at: string): Record<string, string> | null {
  const wanted = pattern.split('/');
  const found = at.split('/');
  if (wanted.length !== found.length) return null;
  const parts: Record<string, string> = {};
  for (const [i, word] of wanted.entries()) {
    const there = found[i] ?? '';
    if (word.startsWith(':')) parts[word.slice(1)] = there;
    else if (word !== there) return null;
  }
  return parts;
}

/** The parts of the present path that the pattern of the place names. */
export function usePathParts(pattern: string): Record<string, string> {
  return match(pattern, usePath()) ?? {};
}

type LinkProps = { to: string } & AnchorHTMLAttributes<HTMLAnchorElement>;

export function Link({ to, onClick, ...rest }: LinkProps) {
  return (
    <a
      {...rest}
      href={hrefOf(to)}
      onClick={(event) => {
        onClick?.(event);
        if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        navigate(to);
      }}
    />
  );
}
