import type { SipLimits } from '../config/schema/types.generated.js';
import type { EngineConfig } from './sip-engine/engine.js';

/** The part of the engine's configuration that site.json's `sip.limits` is; nothing where the site is content with the defaults. */
export function engineLimits(limits: SipLimits | undefined): Pick<EngineConfig, 'limits'> {
  if (limits === undefined) return {};
  const { messageBytes, headers, headerBytes, ...rest } = limits;
  return { limits: { message: { messageBytes, headers, headerBytes }, ...rest } };
}
