import Srf from 'drachtio-srf';
import { readQuickly } from './sip-text.js';
import { type Agent, thrifty } from './thrifty-agent.js';

type Middleware = (request: Srf.SrfRequest, response: Srf.SrfResponse, next: () => void) => void;
export type Handler = (request: Srf.SrfRequest, response: Srf.SrfResponse) => void;
/** Says whether the request may go on to drachtio-srf; if not, it has been answered. */
export type DialogJudge = (request: Srf.SrfRequest, response: Srf.SrfResponse) => boolean;

// The published types leave out these two, which the class documents.
const Application = Srf as unknown as new () => Srf & { dialog(): Middleware; removeDialog(dialog: Srf.Dialog): void };

/**
 * A drachtio application whose requests in dialogs are judged by us first: drachtio-srf answers many of them by itself, some
 * before any listener is asked (SUBSCRIBE with Expires 0), some when a listener is not there yet. And one whose faults end
 * with the request that met them: what a cell sends must not be able to end the process.
 */
export class JudgedSrf extends Application {
  readonly judges = new Map<string, DialogJudge>();
  readonly #onFault: (fault: unknown, request: Srf.SrfRequest) => void;

  constructor(onFault: (fault: unknown, request: Srf.SrfRequest) => void) {
    readQuickly();
    super();
    this.#onFault = onFault;
    // It makes its agent when it is told to connect.
    const { app } = this as unknown as { app: { _init(): Agent } };
    const init = app._init;
    app._init = () => thrifty(init.call(app));
  }

  /** Called by drachtio-srf's constructor, before `judges` is there; a request comes later. */
  override dialog(): Middleware {
    const pass = super.dialog();
    return (request, response, next) => {
      const { stackDialogId } = request as Srf.SrfRequest & { stackDialogId?: string };
      this.guarded(() => {
        const judge = this.judges.get(stackDialogId ?? '');
        if (judge === undefined || judge(request, response)) pass(request, response, next);
      })(request, response);
    };
  }

  /** A handler whose fault is answered 500 and told of; drachtio-srf itself would print it, with the whole request. */
  guarded(handle: Handler): Handler {
    return (request, response) => {
      try {
        handle(request, response);
      } catch (fault) {
        this.#onFault(fault, request);
        response.send(500, {});
      }
    };
  }

  /** Takes a dialog that is over out of drachtio-srf's memory. */
  forgetDialog(dialog: Srf.Dialog): void {
    this.removeDialog(dialog);
    dialog.removeAllListeners();
  }
}
