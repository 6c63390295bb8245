import type { EngineTimer } from '../clock.js';
import type { Dialog } from '../dialog/dialog.js';
import type { SipMessage } from '../message/message.js';
import { type SessionExpires, sessionExpires } from '../message/session-expires.js';
import type { Endings } from './endings.js';
import type { IncomingRequest } from './incoming-request.js';
import type { Room, SessionKeeper } from './room.js';
import { SessionRefresh } from './session-refresh.js';

/**
 * When a refresh that met another request is tried again (RFC 3261 §14.1), milliseconds: whoever has made the Call-ID waits for
 * longer, so that two who met once do not meet again.
 */
function laterMs({ role }: Dialog): number {
  return role === 'uac' ? 2_100 + Math.random() * 1_900 : Math.random() * 2_000;
}

/** No peer may make a session last longer than this by a 422, seconds. */
const LONGEST_S = 7_200;

/** The timers of one dialog whose session ends unless it is refreshed. */
class RunningSession {
  #refresh: EngineTimer | undefined;
  #expiry: EngineTimer | undefined;

  constructor(
    readonly intervalS: number,
    readonly byUs: boolean,
  ) {}

  start(room: Room, onRefresh: () => void, onExpiry: () => void): void {
    const { intervalS } = this;
    // The last moment to say BYE lies before the peer's own end of it (RFC 4028 §10).
    const untilS = intervalS - Math.min(32, intervalS / 3);
    this.#expiry = room.clock.after(untilS * 1000, onExpiry);
    if (this.byUs) this.#refresh = room.clock.after((intervalS / 2) * 1000, onRefresh);
  }

  again(room: Room, ms: number, onRefresh: () => void): void {
    this.#refresh?.cancel();
    this.#refresh = room.clock.after(ms, onRefresh);
  }

  cancel(): void {
    this.#refresh?.cancel();
    this.#expiry?.cancel();
  }
}

/**
 * Session timers (RFC 4028), of either role: whoever has promised to refresh does so, and a call that is not refreshed ends
 * before its interval is over. Where nobody is named to refresh, we are.
 */
export class Sessions implements SessionKeeper {
  constructor(
    readonly room: Room,
    readonly endings: Endings,
  ) {}

  refusal(request: SipMessage): string | undefined {
    const { method } = request;
    if (method !== 'INVITE' && method !== 'UPDATE') return undefined;
    const ask = sessionExpires(request);
    const leastS = this.room.limits.minSessionS;
    // Who does not know of session timers cannot make sense of a 422 (§9).
    if (!ask?.supported || ask.intervalS >= leastS) return undefined;
    this.room.counters.refusedBySession++;
    return `Min-SE: ${leastS}\r\n`;
  }

  asked(dialog: Dialog, sketch: SipMessage): void {
    if (sketch.body.startsWith('v=0')) dialog.localSdp = sketch.body;
    dialog.askedSession = sessionExpires(sketch);
  }

  answer(dialog: Dialog, incoming: IncomingRequest, sketch: SipMessage): string {
    if (sketch.body.startsWith('v=0')) dialog.localSdp = sketch.body;
    if (incoming.peerTakesUpdate) dialog.peerTakesUpdate = true;
    const own = sessionExpires(sketch);
    if (own !== undefined) {
      this.#run(dialog, own.intervalS, own.refresher !== 'uac');
      return '';
    }
    const ask = incoming.session;
    if (ask === undefined) {
      // A refresh that says nothing of the interval refreshes what is agreed.
      const running = dialog.session as RunningSession | undefined;
      if (running !== undefined) this.#run(dialog, running.intervalS, running.byUs);
      return '';
    }
    const byPeer = ask.refresher === 'uac' && ask.supported;
    this.#run(dialog, ask.intervalS, !byPeer);
    const value = `Session-Expires: ${ask.intervalS};refresher=${byPeer ? 'uac' : 'uas'}\r\n`;
    return byPeer ? `${value}Require: timer\r\n` : value;
  }

  answered(dialog: Dialog, response: SipMessage): void {
    if (takesUpdate(response)) dialog.peerTakesUpdate = true;
    const given = sessionExpires(response);
    if (given !== undefined) this.#run(dialog, given.intervalS, given.refresher !== 'uas');
    // The peer knows nothing of session timers: then we refresh by ourselves what we asked for (§7.2).
    else if (dialog.askedSession !== undefined) this.#run(dialog, dialog.askedSession.intervalS, true);
  }

  #run(dialog: Dialog, intervalS: number, byUs: boolean): void {
    dialog.session?.cancel();
    dialog.session = undefined;
    if (dialog.state === 'ended' || dialog.state === 'ending' || intervalS <= 0) return;
    const session = new RunningSession(Math.max(intervalS, this.room.limits.minSessionS), byUs);
    dialog.session = session;
    session.start(
      this.room,
      () => this.#refresh(dialog, session),
      () => {
        this.room.counters.sessionsExpired++;
        this.endings.end(dialog, 'Session timer expired');
      },
    );
  }

  /** `isLonger`: it was found too short, and goes again at once. */
  #refresh(dialog: Dialog, session: RunningSession, isLonger = false): void {
    if (dialog.state !== 'confirmed' || dialog.session !== session) return;
    const later = (): void => session.again(this.room, laterMs(dialog), () => this.#refresh(dialog, session));
    if (dialog.outgoingInvite?.pending || dialog.incomingInvite !== undefined || dialog.answer !== undefined) {
      later();
      return;
    }
    const refresh = new SessionRefresh(this.room, this.endings, dialog, {
      refreshed: (_dialog, response) => {
        dialog.askedSession = undefined;
        const given = sessionExpires(response);
        this.#run(dialog, given?.intervalS ?? session.intervalS, given?.refresher !== 'uas');
      },
      tooShort: (_dialog, leastS) => {
        // Longer once, and no more: a peer must not keep us asking.
        if (isLonger || leastS <= session.intervalS || leastS > LONGEST_S) return;
        this.#run(dialog, leastS, true);
        const longer = dialog.session;
        if (longer instanceof RunningSession) this.#refresh(dialog, longer, true);
      },
      later,
      dead: () => {
        this.room.counters.sessionsExpired++;
        this.endings.end(dialog, 'Session refresh failed');
      },
    });
    refresh.send(session.intervalS);
  }
}

/** Whether the sender of a message lists UPDATE among what it takes; no other method's name holds that word. */
function takesUpdate(message: SipMessage): boolean {
  return message.has('allow') && message.all('allow').some((methods) => methods.includes('UPDATE'));
}

/** What a request of the peer asks for, kept until it is answered. */
export function sessionOf(request: SipMessage): { session: SessionExpires | undefined; peerTakesUpdate: boolean } {
  return { session: sessionExpires(request), peerTakesUpdate: takesUpdate(request) };
}
