import type { CallEffect } from './call-effect.js';
import type { PlaneName } from './ports.js';

/** The plane that an effect is an order to, where it is one. */
export const PLANE_OF: Readonly<Partial<Record<CallEffect['do'], PlaneName>>> = {
  'media-open': 'media',
  'media-announce': 'media',
  'media-connect': 'media',
  'media-arm': 'media',
  'media-close': 'media',
  'answer-desk': 'signalling',
  'call-handset': 'signalling',
  dial: 'signalling',
  ring: 'signalling',
  'early-media': 'signalling',
  accept: 'signalling',
  refuse: 'signalling',
  'signalling-arm': 'signalling',
  'signalling-release': 'signalling',
  'line-arm': 'line',
  'line-cut': 'line',
  'line-release': 'line',
};
