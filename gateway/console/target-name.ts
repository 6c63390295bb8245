import type { CutTarget } from './api/orders.js';

/** What an order is about: `site`, `wing a`, `handset a-101`. No two have the same. */
export function targetName(target: CutTarget): string {
  switch (target.kind) {
    case 'site':
      return 'site';
    case 'wing':
      return `wing ${target.wing}`;
    case 'handset':
      return `handset ${target.handset}`;
  }
}
