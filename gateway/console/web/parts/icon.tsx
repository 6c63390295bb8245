import type { JSX } from 'preact';

// Drawn for this page on a grid of 24, strokes of 1.8. They say nothing by themselves: a word is always beside them.
const SHAPES = {
  'on-hook':
    'M3.5 15.5c0-3 4-5.2 8.500-5.200s8.500 2.200 8.500 5.200v1.500h-4.600v-2.600c-2.400-.8-5.400-.8-7.800 0v2.600h-4.600z',
  'off-hook':
    'M5.200 3.800l3 3.200-1.700 2.500c.9 3 3.900 6.300 7.300 7.500l2.600-1.600 3.300 2.900-2 2.600c-6 1.200-15.300-8.300-14.600-14.800z',
  calling: 'M6 12h.01M12 12h.01M18 12h.01',
  ringing:
    'M6.500 16.500v-5.500a5.500 5.500 0 0 1 11 0v5.500l1.500 1.500h-14zM10.200 20.700h3.600M3 8.500a9 9 0 0 1 2.500-4.500M21 8.500a9 9 0 0 0-2.500-4.500',
  talking: 'M4.500 5.500h15v10.500h-8.500l-4 3.500v-3.500h-2.500zM8.500 9.500h7M8.500 12.500h4.500',
  refused: 'M12 3.500a8.500 8.500 0 1 0 0 17a8.500 8.500 0 0 0 0-17zM7.500 12h9',
  cut: 'M3 12h5.500M15.500 12h5.500M9.500 7.500l5 9M14.500 7.500l-5 9',
  fault: 'M12 4l9 16h-18zM12 10v4.500M12 17.300h.01',
  away: 'M4 4l16 16M8 4.500v4M16 4.500v4M6.500 8.500h1M11.500 8.500h6v3.500c0 .9-.3 1.700-.7 2.400M6.500 11.500a5.500 5.500 0 0 0 7.500 5.300M12 17.500v3',
  disabled: 'M12 3.500a8.500 8.500 0 1 0 0 17a8.500 8.500 0 0 0 0-17zM6 6l12 12',
  board: 'M4 4.500h7v6h-7zM13 4.500h7v6h-7zM4 13.500h7v6h-7zM13 13.500h7v6h-7z',
  calls: 'M8.500 6.500h12M8.500 12h12M8.500 17.500h12M4 6.500h.01M4 12h.01M4 17.500h.01',
  work: 'M3.500 20.500h17M7 17v-6M12 17v-11M17 17v-4',
  lines: 'M4 8h16v8h-16zM8 4v4M16 4v4M8 16v4M16 16v4M8 12h.01M12 12h.01M16 12h.01',
  trunks: 'M3 7.500h13M12.500 4l3.500 3.500-3.500 3.500M21 16.500h-13M11.500 13l-3.500 3.500 3.500 3.500',
  uplink:
    'M7 17.500a4.500 4.500 0 0 1 .3-9 6 6 0 0 1 11.200 1.800 3.700 3.700 0 0 1-.7 7.200M12 20.500v-8M9 15l3-3 3 3',
  audit: 'M6 3.500h9l4 4v13h-13zM15 3.500v4h4M9 12h7M9 16h5',
  people:
    'M9 11.500a3.500 3.500 0 1 0 0-7a3.500 3.500 0 0 0 0 7zM3 19.500c0-3.300 2.700-5.500 6-5.500s6 2.200 6 5.500M16 11.300a3.200 3.200 0 0 0 0-6.400M18 14.500c1.900.8 3 2.600 3 5',
  onboarding: 'M12 3.500v17M3.500 12h17',
  search: 'M10.500 4.500a6 6 0 1 0 0 12a6 6 0 0 0 0-12zM15 15l5 5',
  check: 'M5 12.500l4.500 4.500 9.500-10',
  cross: 'M6 6l12 12M18 6l-12 12',
  back: 'M14.500 5.500l-6.500 6.500 6.500 6.500',
  next: 'M9.500 5.500l6.500 6.500-6.500 6.500',
  account: 'M12 12a4 4 0 1 0 0-8a4 4 0 0 0 0 8zM4.500 20.500c0-3.800 3.300-6 7.500-6s7.500 2.200 7.500 6',
  clock: 'M12 3.500a8.500 8.500 0 1 0 0 17a8.500 8.500 0 0 0 0-17zM12 7.500v5l3.200 2',
} as const;

export type IconName = keyof typeof SHAPES;

/** A drawing beside a word; screen readers pass it by. */
export function Icon({ name, size = 20 }: { readonly name: IconName; readonly size?: number }): JSX.Element {
  return (
    <svg class={`icon icon-${name}`} width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
      <path d={SHAPES[name]} />
    </svg>
  );
}
