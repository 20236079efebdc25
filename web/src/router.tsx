import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Link,
  type RouteComponent,
} from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Inbox } from './screens/inbox.tsx';
import { Shell } from './shell.tsx';

const root = createRootRoute({ component: Shell, notFoundComponent: NoPage });
const at = (path: string, component: RouteComponent) => createRoute({ getParentRoute: () => root, path, component });

// What is not seen first is loaded when it is.
const routes = [
  at('/', Inbox),
  at(
    '/beads',
    lazyRouteComponent(() => import('./screens/beads.tsx'), 'Beads'),
  ),
  at(
    '/beads/$id',
    lazyRouteComponent(() => import('./screens/bead.tsx'), 'Bead'),
  ),
  at(
    '/convoys',
    lazyRouteComponent(() => import('./screens/convoys.tsx'), 'Convoys'),
  ),
  at(
    '/convoys/$id',
    lazyRouteComponent(() => import('./screens/convoy.tsx'), 'Convoy'),
  ),
  at(
    '/train',
    lazyRouteComponent(() => import('./screens/train.tsx'), 'Train'),
  ),
  at(
    '/agents',
    lazyRouteComponent(() => import('./screens/agents.tsx'), 'Agents'),
  ),
  at(
    '/agents/$id',
    lazyRouteComponent(() => import('./screens/agent.tsx'), 'Agent'),
  ),
  at(
    '/mail',
    lazyRouteComponent(() => import('./screens/mail.tsx'), 'Mail'),
  ),
  at(
    '/timeline',
    lazyRouteComponent(() => import('./screens/timeline.tsx'), 'Timeline'),
  ),
  at(
    '/health',
    lazyRouteComponent(() => import('./screens/health.tsx'), 'Health'),
  ),
  at(
    '/costs',
    lazyRouteComponent(() => import('./screens/costs.tsx'), 'Costs'),
  ),
];

export const router = createRouter({ routeTree: root.addChildren(routes), defaultPreload: false });

function NoPage(): ReactNode {
  return (
    <p className="card">
      There is no such page.{' '}
      <Link to="/" className="link">
        To the inbox
      </Link>
    </p>
  );
}
