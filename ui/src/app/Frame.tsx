/*
 * Masthead, menu, and the screen of the place.
 */
import {
  Nav,
  NavExpandable,
  NavItem,
  NavList,
  Page,
  PageSidebar,
  PageSidebarBody,
  SkipToContent,
} from '@patternfly/react-core';
import { lazy, Suspense, useEffect, useState, type ComponentType, type LazyExoticComponent } from 'react';
import { may } from '../session/session';
import { useMe } from '../session/hooks';
import { t } from '../texts';
import { Console } from './Console';
import { FrameMasthead } from './FrameMasthead';
import { NotFound } from './NotFound';
import { Oops } from './Oops';
import { Waiting } from './parts';
import { places, type Place } from './places';
import { hrefOf, match, navigate, usePath } from './router';

const MAIN = 'hf-main';
/* As PatternFly has it: below, the menu lies over the screen. */
const WIDE = matchMedia('(min-width: 75rem)');
const screens = new Map<Place, LazyExoticComponent<ComponentType>>(
  places.map((place) => [place, lazy(place.load)]),
);

/** The place at a path, of those that this user has. */
function usePlaces(): readonly Place[] {
  const me = useMe();
  return places.filter(
    ({ needs, allows }) => needs.every((method) => may(me, method)) && (allows?.(me) ?? true),
  );
}

function Item({ place, at, onGo }: { place: Place; at: string; onGo: () => void }) {
  return (
    <NavItem
      to={hrefOf(place.path)}
      isActive={place.path === '/' ? at === '/' : at.startsWith(place.path)}
      onClick={(event) => {
        event.preventDefault();
        navigate(place.path);
        onGo();
      }}
    >
      {t(place.title)}
    </NavItem>
  );
}

function Menu({ mine, at, onGo }: { mine: readonly Place[]; at: string; onGo: () => void }) {
  const listed = mine.filter((place) => place.group !== null);
  const groups = [...new Set(listed.map((place) => place.group))];
  return (
    <Nav aria-label={t('app.menu')}>
      <NavList>
        {groups.map((group) => {
          const items = listed
            .filter((place) => place.group === group)
            .map((place) => <Item key={place.path} place={place} at={at} onGo={onGo} />);
          if (!group) return items;
          return (
            <NavExpandable key={group} title={t(group)} isExpanded>
              {items}
            </NavExpandable>
          );
        })}
      </NavList>
    </Nav>
  );
}

function PlaceScreen({ place }: { place: Place | undefined }) {
  const Screen = place && screens.get(place);
  if (!Screen) return <NotFound />;
  return (
    <Oops key={place.path}>
      <Suspense fallback={<Waiting />}>
        <Screen />
      </Suspense>
    </Oops>
  );
}

export default function Frame() {
  const mine = usePlaces();
  const at = usePath();
  const place = mine.find((one) => match(one.path, at) !== null);
  const [menuOpen, setMenuOpen] = useState(WIDE.matches);

  useEffect(() => {
    const follow = () => setMenuOpen(WIDE.matches);
    WIDE.addEventListener('change', follow);
    return () => WIDE.removeEventListener('change', follow);
  }, []);
  useEffect(() => {
    document.title = `${t(place?.title ?? 'app.not-found')} – ${t('app.name')}`;
  }, [place]);

  const sidebar = (
    <PageSidebar isSidebarOpen={menuOpen}>
      <PageSidebarBody>
        <Menu mine={mine} at={at} onGo={() => setMenuOpen(WIDE.matches)} />
      </PageSidebarBody>
    </PageSidebar>
  );
  return (
    <Page
      masthead={<FrameMasthead menuOpen={menuOpen} onMenu={() => setMenuOpen(!menuOpen)} />}
      sidebar={sidebar}
      skipToContent={<SkipToContent href={`#${MAIN}`}>{t('app.skip')}</SkipToContent>}
      mainContainerId={MAIN}
      /* What has nothing to be focused is scrolled by keys all the same. */
      mainTabIndex={0}
      /* Asked for it, PatternFly looks whether its menu has to lie over the screen. */
      onPageResize={() => undefined}
    >
      <PlaceScreen place={place} />
      <Console />
    </Page>
  );
}
