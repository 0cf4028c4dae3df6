/*
 * System > Shell: a terminal on the machine, as the account that is logged in.
 */
import { Button, Toolbar, ToolbarContent, ToolbarGroup, ToolbarItem } from '@patternfly/react-core';
import MinusIcon from '@patternfly/react-icons/dist/esm/icons/minus-icon';
import PlusIcon from '@patternfly/react-icons/dist/esm/icons/plus-icon';
import { useEffect, useRef, useState, type RefObject } from 'react';
import { client } from '../../api/client';
import { Failed, Screen } from '../../app/parts';
import { t } from '../../texts';
import { ShellConnection } from './connection';
import { draw, type Drawn } from './terminal';

type State = { at: 'connecting' | 'open' | 'over' } | { at: 'refused'; reason: string };

const SIZES = [10, 12, 14, 16, 18, 20, 24];
/* For as long as the page is there. */
let fontSize = 14;

/** A terminal with a connection of its own; a new one for each `turn`. */
function useTerminal(
  element: RefObject<HTMLDivElement>,
  turn: number,
  wayOut: () => void,
): { state: State; drawn: RefObject<Drawn | null> } {
  const [state, setState] = useState<State>({ at: 'connecting' });
  const drawn = useRef<Drawn | null>(null);
  const out = useRef(wayOut);
  out.current = wayOut;
  useEffect(() => {
    if (!element.current) return;
    setState({ at: 'connecting' });
    const made = draw(element.current, fontSize, () => out.current());
    const { terminal } = made;
    drawn.current = made;
    let id: string | null = null;
    const resize = () => {
      /* One that is over has no size. */
      if (id) client.call('core.resize_shell', id, terminal.cols, terminal.rows).catch(() => null);
    };
    const connection = new ShellConnection({
      show: (bytes, shown) => terminal.write(bytes, shown),
      opened: (named) => {
        id = named;
        setState({ at: 'open' });
        resize();
        terminal.focus();
      },
      closed: (reason) => {
        id = null;
        terminal.options.disableStdin = true;
        setState(reason === null ? { at: 'over' } : { at: 'refused', reason });
      },
    });
    terminal.onData((text) => connection.type(text));
    terminal.onBinary((text) => connection.typeBytes(text));
    terminal.onResize(resize);
    return () => {
      drawn.current = null;
      connection.end();
      made.dispose();
    };
  }, [element, turn]);
  return { state, drawn };
}

/** Steps through the sizes. */
function FontSize({ drawn }: { drawn: RefObject<Drawn | null> }) {
  const [size, setSize] = useState(fontSize);
  const step = (by: number) => {
    fontSize = SIZES[SIZES.indexOf(size) + by] ?? size;
    setSize(fontSize);
    if (!drawn.current) return;
    drawn.current.terminal.options.fontSize = fontSize;
    drawn.current.fit();
  };
  return (
    <ToolbarGroup aria-label={t('shell.font')} role="group">
      <ToolbarItem>
        <Button
          variant="secondary"
          isDisabled={size === SIZES[0]}
          icon={<MinusIcon />}
          aria-label={t('shell.smaller')}
          onClick={() => step(-1)}
        />
      </ToolbarItem>
      <ToolbarItem alignSelf="center">{t('shell.size', { size })}</ToolbarItem>
      <ToolbarItem>
        <Button
          variant="secondary"
          isDisabled={size === SIZES.at(-1)}
          icon={<PlusIcon />}
          aria-label={t('shell.larger')}
          onClick={() => step(1)}
        />
      </ToolbarItem>
    </ToolbarGroup>
  );
}

function Clipboard({ drawn, onTold }: {
  drawn: RefObject<Drawn | null>;
  onTold: (text: string) => void;
}) {
  const copy = async () => {
    const text = drawn.current?.terminal.getSelection() ?? '';
    if (text !== '') await navigator.clipboard.writeText(text);
    onTold(t(text === '' ? 'shell.nothing' : 'shell.copied'));
  };
  const paste = async () => {
    drawn.current?.terminal.paste(await navigator.clipboard.readText());
    drawn.current?.terminal.focus();
  };
  const tried = (done: Promise<void>) => done.catch(() => onTold(t('shell.no-clipboard')));
  return (
    <>
      <ToolbarItem>
        <Button variant="secondary" onClick={() => void tried(copy())}>
          {t('shell.copy')}
        </Button>
      </ToolbarItem>
      <ToolbarItem>
        <Button variant="secondary" onClick={() => void tried(paste())}>
          {t('shell.paste')}
        </Button>
      </ToolbarItem>
    </>
  );
}

export default function Shell() {
  const [turn, setTurn] = useState(0);
  const [told, setTold] = useState('');
  const element = useRef<HTMLDivElement>(null);
  const restart = useRef<HTMLButtonElement>(null);
  const { state, drawn } = useTerminal(element, turn, () => restart.current?.focus());
  return (
    <Screen title={t('place.shell')}>
      <Failed text={state.at === 'refused' ? state.reason : null} />
      <Toolbar isStatic>
        <ToolbarContent>
          <ToolbarItem>
            <Button ref={restart} variant="secondary" onClick={() => setTurn(turn + 1)}>
              {t('shell.restart')}
            </Button>
          </ToolbarItem>
          <Clipboard drawn={drawn} onTold={setTold} />
          <FontSize drawn={drawn} />
          <ToolbarItem alignSelf="center">
            <span role="status">{told || t(`shell.state.${state.at}`)}</span>
          </ToolbarItem>
        </ToolbarContent>
      </Toolbar>
      <div ref={element} className="hf-terminal" />
      <p className="hf-part">{t('shell.keys')}</p>
    </Screen>
  );
}
