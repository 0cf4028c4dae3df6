/*
 * The terminal as it is drawn: xterm.js, as wide and high as its element.
 */
import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';
import { t } from '../../texts';

export interface Drawn {
  terminal: Terminal;
  fit: () => void;
  dispose: () => void;
}

/* As the page has it, where xterm.js takes no variable. */
const FONT = "ui-monospace, 'Cascadia Mono', 'DejaVu Sans Mono', monospace";
const theme = { background: '#151515', foreground: '#f2f2f2', cursor: '#f2f2f2' };

/** Ctrl+F6: out of the terminal, which takes all other keys, Tab as well. */
function isWayOut(event: KeyboardEvent): boolean {
  return event.key === 'F6' && event.ctrlKey && !event.shiftKey && !event.altKey;
}

/** Ctrl+Insert copies, Shift+Insert pastes: that is the browser's to do. */
function isClipboard(event: KeyboardEvent): boolean {
  return event.key === 'Insert' && event.ctrlKey !== event.shiftKey;
}

export function draw(element: HTMLElement, fontSize: number, wayOut: () => void): Drawn {
  const terminal = new Terminal({
    fontFamily: FONT,
    fontSize,
    lineHeight: 1.15,
    theme,
    screenReaderMode: true,
    minimumContrastRatio: 4.5,
    scrollback: 5000,
  });
  const fitting = new FitAddon();
  terminal.loadAddon(fitting);
  terminal.open(element);
  terminal.textarea?.setAttribute('aria-label', t('shell.input'));
  terminal.attachCustomKeyEventHandler((event) => {
    if (isClipboard(event)) return false;
    if (!isWayOut(event)) return true;
    event.preventDefault();
    if (event.type === 'keydown') wayOut();
    return false;
  });
  const fit = () => fitting.fit();
  const observer = new ResizeObserver(fit);
  observer.observe(element);
  fit();
  return {
    terminal,
    fit,
    dispose: () => {
      observer.disconnect();
      terminal.dispose();
    },
  };
}
