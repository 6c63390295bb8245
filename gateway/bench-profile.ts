import { StartFault } from './supervisor/run-folder.js';

const EX_CONFIG = 78;
const SWITCH = 'BALISE_BENCH_NO_CHALLENGE';

/**
 * Whether INVITEs are believed without a challenge, which the benchmark alone wants, so as to measure beside servers that
 * challenge nobody. The switch is obeyed only where nothing but this machine can reach either SIP listener: a site with any
 * other address throws StartFault, so that no prison's gateway runs with it, whatever its environment says.
 */
export function believesInvites(
  environment: Readonly<Record<string, string | undefined>>,
  sip: { readonly cell: { readonly address: string }; readonly carrier: { readonly address: string } },
): boolean {
  const wanted = environment[SWITCH];
  if (wanted === undefined || wanted === '' || wanted === '0') return false;
  for (const side of ['cell', 'carrier'] as const) {
    const { address } = sip[side];
    if (isLoopback(address)) continue;
    throw new StartFault(
      `${SWITCH} is set, and site.json has /sip/${side}/address ${address}: without the challenge anybody could call as any ` +
        'handset, so it is for measurements on 127.0.0.1 alone; take it out of the environment',
      EX_CONFIG,
    );
  }
  return true;
}

const isLoopback = (address: string): boolean => address === '::1' || /^127(\.\d{1,3}){3}$/.test(address);
