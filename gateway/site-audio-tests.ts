import type { Logger } from 'pino';
import { AudioTests, type AudioTestsOptions } from './calls/audio-tests.js';
import type { SiteFiles } from './config/site.js';
import { RelayPlane } from './media/relay-plane.js';
import { wingId } from './policy/ids.js';
import type { SitePlane } from './site-media.js';
import type { SiteWatch } from './site-watch.js';
import type { Store } from './store/store.js';

export interface SiteAudioTestsParts extends Pick<AudioTestsOptions, 'clock' | 'bootId' | 'signalling'> {
  readonly files: SiteFiles;
  readonly log: Logger;
  readonly media: SitePlane;
  readonly store: Store;
  readonly watch: () => SiteWatch | undefined;
}

/** The audio tests of a site's handsets; undefined on a media plane that has no echo. */
export function siteAudioTests({ files, log, media, store, watch, ...more }: SiteAudioTestsParts) {
  if (!(media instanceof RelayPlane)) return undefined;
  return new AudioTests({
    ...more,
    media,
    store: store.calls,
    wingOf: (handset) => {
      const wing = files.handsets.find(({ id }) => id === handset)?.wing;
      return wing === undefined ? undefined : wingId(wing);
    },
    isHeld: (handset) => {
      const view = watch()?.handset(handset);
      return view === undefined || view.disabled || view.cut !== undefined;
    },
    changed: () => watch()?.changed(),
    onFault: (fault) => log.error({ event: 'audio-test.not-recorded', err: fault }),
  });
}
