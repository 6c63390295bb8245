import type { CheckReport } from './agent.js';
import { portOf, type Transport } from './transport.js';
import { openWire, type Wire } from './wire.js';

/** Opens the port, has what is on it looked at, and closes it. Never rejects: what cannot be reached is in the report. */
export async function checkPort(
  transport: Transport,
  look: (wire: Wire) => Promise<CheckReport>,
): Promise<CheckReport> {
  const port = portOf(transport);
  let wire: Wire | undefined;
  try {
    wire = await openWire(transport);
    const { isWell, lines } = await look(wire);
    return { isWell, lines: [`port ${port}: open`, ...lines] };
  } catch (fault) {
    const why = fault instanceof Error ? fault.message : String(fault);
    const hint = 'see the path and its rights, and whether an agent or another program has it';
    return { isWell: false, lines: [`port ${port}: cannot be opened: ${why}; ${hint}`] };
  } finally {
    wire?.close();
  }
}
