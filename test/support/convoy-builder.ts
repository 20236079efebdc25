/** A convoy and its rows as plain objects. */
import type { Convoy, ConvoyBead } from '../../src/core/model/convoy.ts';
import { trusted } from '../../src/core/model/ids.ts';
import type { ConvoyLanding } from '../../src/core/model/landing.ts';

export const CONVOY_ID: Convoy['id'] = trusted.convoy('hq-cv-00000');

/** An active convoy of two beads. */
export const convoy = (over: Partial<Convoy> = {}): Convoy => ({
  id: CONVOY_ID,
  title: 'All of it',
  status: 'active',
  mergeMode: 'review-and-merge',
  onFailure: 'hold',
  startWhenReady: true,
  featureBranch: null,
  landingOrder: [],
  totalBeads: 2,
  closedBeads: 0,
  failedBeads: 0,
  cancelledBeads: 0,
  createdBy: 'human/test',
  reason: null,
  version: 1,
  createdAtMs: 0,
  landedAtMs: null,
  reverted: null,
  ...over,
});

/** Its live bead at this position: the first in `api`, all others in `web`. */
export const convoyBead = (position: number, over: Partial<ConvoyBead> = {}): ConvoyBead => ({
  convoyId: CONVOY_ID,
  position,
  rig: trusted.rig(position === 0 ? 'api' : 'web'),
  beadId: trusted.bead(`api-0000${String(position)}`),
  title: 'a',
  status: 'live',
  dependsOn: [],
  mergeSha: null,
  mergeTarget: null,
  closeReason: null,
  batch: 0,
  adopted: false,
  started: false,
  ...over,
});

/** The landing in the rig at this position, before its turn. */
export const landing = (position: number, over: Partial<ConvoyLanding> = {}): ConvoyLanding => ({
  convoyId: CONVOY_ID,
  position,
  rig: trusted.rig(position === 0 ? 'api' : 'web'),
  state: 'waiting',
  attempt: 0,
  beadId: null,
  mergeSha: null,
  target: null,
  notBeforeMs: 0,
  reason: null,
  ...over,
});
