import type { Logger } from 'pino';
import type { EventDraft } from './calls/ports.js';
import type { Clock, Timer } from './clock/clock.js';
import type { SiteFiles } from './config/site.js';
import { type AgentPlan, fittingsOf, planAgents, readKind } from './lines/agent-plan.js';
import type { Lines } from './lines/lines.js';
import { type HandsetId, handsetId } from './policy/ids.js';

type Handset = SiteFiles['handsets'][number];
type Wire = NonNullable<Handset['line']>;

export interface SiteWiresParts {
  /** `handsets` and `boards` are always what they are now. */
  readonly files: SiteFiles;
  readonly clock: Clock;
  readonly log: Logger;
  readonly lines: Pick<Lines, 'fit' | 'agentLost'>;
  /** Handsets that have a call now, one that is being set up or is ending included. */
  readonly inCall: () => readonly string[];
  /** Starts an agent anew with these wires; false for one that is not ours to start. */
  readonly renew: (plan: AgentPlan, between: () => void) => Promise<boolean>;
  readonly append: (event: EventDraft) => void;
}

/** While a change waits for calls to end: how often is looked, milliseconds. */
const LOOK_MS = 500;
const RENEWED = 'its agent starts anew, with other wires';

const agentsOf = ({ boards }: SiteFiles): ReadonlyMap<string, string> =>
  new Map(boards.map(({ id, agent }) => [id, agent]));

const isSame = (a: Wire | undefined, b: Wire | undefined): boolean =>
  a?.board === b?.board && a?.relay === b?.relay && a?.hook === b?.hook;

/**
 * The wires of a running site. An agent learns its wires at its start alone, and is started anew for a change as soon as none
 * of its handsets has a call: a call on another line of the board is never cut for it. Until then the changed wires are open
 * and are not believed; only a handset that has a call itself keeps its old wire until the call is over. So the same words
 * describe every moment: a wire is leased only where the agent that holds it and the site's files agree on it.
 */
export class SiteWires {
  readonly #parts: SiteWiresParts;
  #agentOf: ReadonlyMap<string, string>;
  readonly #foreign: ReadonlySet<string>;
  /** What the agents were told: each handset's wire, by handset. */
  readonly #told: Map<string, Wire>;
  readonly #renewing = new Set<string>();
  readonly #kinds = new Map<string, ReturnType<typeof readKind>>();
  #timer: Timer | undefined;
  #stopped = false;

  constructor(parts: SiteWiresParts) {
    this.#parts = parts;
    const { handsets, site } = parts.files;
    this.#agentOf = agentsOf(parts.files);
    this.#foreign = new Set(site.bus.agents.map(({ name }) => name));
    this.#told = new Map(handsets.flatMap(({ id, line }) => (line === undefined ? [] : [[id, line] as const])));
  }

  /** Takes the wires as the site's files have them now. Returns what a person should know: what waits, and for what. */
  take(): readonly string[] {
    this.#agentOf = agentsOf(this.#parts.files);
    const remarks = this.#remarks();
    this.#look();
    return remarks;
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #look(): void {
    this.#timer?.cancel();
    if (this.#stopped) return;
    this.#fit();
    const busy = this.#busyAgents();
    const changed = this.#changedPlans();
    for (const plan of changed) {
      if (!busy.has(plan.agent) && !this.#renewing.has(plan.agent)) void this.#renew(plan);
    }
    if (changed.length > 0) this.#timer = this.#parts.clock.after(LOOK_MS, () => this.#look());
  }

  async #renew(plan: AgentPlan): Promise<void> {
    const { lines, renew, log, append } = this.#parts;
    const { agent, handsets } = plan;
    const wires = this.#wiresOf(handsets);
    const before = this.#wiresHeldBy(agent);
    let isTold = false;
    this.#renewing.add(agent);
    lines.agentLost(agent, RENEWED);
    try {
      await renew(plan, () => {
        isTold = true;
        for (const handset of before.keys()) this.#told.delete(handset);
        for (const [handset, wire] of wires) this.#told.set(handset, wire);
        this.#fit();
        const shown = Object.fromEntries(wires);
        log.info({ event: 'wires.taken', agent, wires: shown });
        append({
          kind: 'event',
          type: 'balise.wires.taken',
          data: { agent, before: Object.fromEntries(before), after: shown },
        });
      });
    } catch (fault) {
      // The supervisor tries for ever, and its lines are open meanwhile.
      log.error({ event: 'wires.agent-not-back', agent, err: fault });
    } finally {
      this.#renewing.delete(agent);
    }
    // What it let go of, another agent may take now.
    if (isTold) this.#look();
  }

  /** Tells the line plane which wire each handset has, and which are open for now. */
  #fit(): void {
    const { files, lines, inCall } = this.#parts;
    const talking = new Set(inCall());
    const shut = new Set<HandsetId>();
    const wired = new Map<string, Handset>();
    for (const handset of files.handsets) {
      const told = this.#told.get(handset.id);
      const line = told ?? handset.line;
      if (line === undefined) continue;
      wired.set(handset.id, { ...handset, line });
      const isTakenAway = handset.line === undefined;
      if (!isSame(told, handset.line) && (isTakenAway || told === undefined || !talking.has(handset.id)))
        shut.add(handsetId(handset.id));
    }
    const fittings = fittingsOf(files.boards, [...wired.values()], this.#kindOf);
    lines.fit(fittings.lines, shut, fittings.boards);
  }

  /** Every agent of ours whose wires are other than it was told, with what it is to be told; what another still holds is left out. */
  #changedPlans(): readonly AgentPlan[] {
    const { boards, handsets } = this.#parts.files;
    const free = handsets.filter(({ id, line }) => {
      const held = this.#told.get(id);
      return line !== undefined && (held === undefined || this.#holder(held) === this.#holder(line));
    });
    return planAgents(boards, free, this.#kindOf).filter(({ agent, handsets: own }) => {
      if (this.#foreign.has(agent)) return false;
      const held = this.#wiresHeldBy(agent);
      const wanted = this.#wiresOf(own);
      return held.size !== wanted.size || [...wanted].some(([id, wire]) => !isSame(held.get(id), wire));
    });
  }

  /** Agents with a call on one of the wires that they hold. */
  #busyAgents(): ReadonlySet<string> {
    return new Set(
      this.#parts.inCall().flatMap((handset) => {
        const wire = this.#told.get(handset);
        return wire === undefined ? [] : [this.#holder(wire)];
      }),
    );
  }

  /** Kinds of boards do not change while a gateway runs, and are read once. */
  readonly #kindOf = (name: string): ReturnType<typeof readKind> => {
    const known = this.#kinds.get(name) ?? readKind(name);
    this.#kinds.set(name, known);
    return known;
  };

  #holder({ board }: Wire): string {
    return this.#agentOf.get(board) ?? '';
  }

  #wiresHeldBy(agent: string): ReadonlyMap<string, Wire> {
    return new Map([...this.#told].filter(([, wire]) => this.#holder(wire) === agent));
  }

  #wiresOf(handsets: readonly string[]): ReadonlyMap<string, Wire> {
    const wanted = new Set(handsets);
    return new Map(
      this.#parts.files.handsets.flatMap(({ id, line }) =>
        line !== undefined && wanted.has(id) ? [[id, line] as const] : [],
      ),
    );
  }

  #remarks(): readonly string[] {
    const { files, inCall } = this.#parts;
    const busy = this.#busyAgents();
    const talking = new Set(inCall());
    const now = new Map(files.handsets.map(({ id, line }) => [id, line]));
    const changed = [...new Set([...this.#told.keys(), ...now.keys()])].filter(
      (id) => !isSame(this.#told.get(id), now.get(id)),
    );
    return changed.flatMap((id) => {
      const wires = [this.#told.get(id), now.get(id)].filter((wire) => wire !== undefined);
      const agents = [...new Set(wires.map((wire) => this.#holder(wire)))];
      const foreign = agents.filter((agent) => this.#foreign.has(agent));
      if (foreign.length > 0) return foreign.map((agent) => this.#foreignRemark(id, agent));
      const waitsFor = agents.filter((agent) => busy.has(agent));
      if (waitsFor.length === 0) return [];
      const until = talking.has(id) && now.get(id) !== undefined ? 'it is as it was' : 'it is open';
      return [
        `the wire of ${id} is taken when no call is up on the boards of ${waitsFor.join(' and ')}; ${until} until then`,
      ];
    });
  }

  #foreignRemark(handset: string, agent: string): string {
    const { folder } = this.#parts.files;
    return [
      `the wire of ${handset} is open from now on: its agent ${agent} is started by somebody else`,
      `write its configuration anew (balise board agent ${folder} ${agent}), put the secret's hash into site.json`,
      'restart its unit, then the gateway',
    ].join('; ');
  }
}
