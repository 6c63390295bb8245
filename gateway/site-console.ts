import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freshSecret } from './bus/identities.js';
import type { Calls } from './calls/calls.js';
import { projectRoot } from './config/paths.js';
import type { SiteFiles } from './config/site.js';
import { type RunningConsole, startConsole } from './console/console.js';
import type { GatewayMetrics } from './gateway-metrics.js';
import type { Lines } from './lines/lines.js';
import { type CallId, handsetId } from './policy/ids.js';
import type { SiteWatch } from './site-watch.js';

/** What the console of a running site is joined to. */
export interface SiteConsoleParts {
  readonly files: SiteFiles;
  readonly watch: SiteWatch;
  readonly calls: Calls;
  readonly lines: Lines;
  readonly metrics: GatewayMetrics | undefined;
  readonly newCallId: () => CallId;
}

/** Opens the technicians' console on the site's address. Rejects when it cannot be listened on. */
export function openSiteConsole(parts: SiteConsoleParts): Promise<RunningConsole> {
  const { files, watch, calls, lines, metrics, newCallId } = parts;
  const token = freshSecret();
  writeFileSync(join(files.dataFolder, 'console.token'), `${token}\n`, { mode: 0o600 });
  return startConsole({
    ...files.site.console,
    token,
    pageFile: join(projectRoot(), 'gateway', 'console', 'web', 'index.html'),
    ...(metrics === undefined ? {} : { metrics: () => metrics.read() }),
    source: {
      view: () => watch.view(),
      release: (handset) => calls.release({ kind: 'handset', handset: handsetId(handset) }, 'console') === true,
      testLine: (handset) => lines.test(handsetId(handset)),
      cut: async (handset, reason, hold) => {
        const target =
          handset === undefined ? { kind: 'site' as const } : { kind: 'handset' as const, handset: handsetId(handset) };
        const result = await calls.cutoff({ id: newCallId(), target, reason, by: 'console', hold });
        return { calls: result.calls, silentMs: result.silentMs, complete: result.complete };
      },
    },
  });
}
