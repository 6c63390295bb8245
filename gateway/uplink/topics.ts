/** The topics of one gateway, `balise/v1/<site>/<gateway>/…`. */
export interface Topics {
  readonly presence: string;
  readonly status: string;
  readonly event: string;
  readonly alarm: string;
  readonly command: string;
  readonly policy: string;
  readonly batch: string;
  handset(id: string): string;
  line(board: string): string;
  ack(command: string): string;
}

/** @param gatewayId `<site>/<gateway>`; both are ids by schema, so neither holds a wildcard or a slash. */
export function topicsOf(gatewayId: string): Topics {
  const base = `balise/v1/${gatewayId}`;
  return {
    presence: `${base}/presence`,
    status: `${base}/status`,
    event: `${base}/event`,
    alarm: `${base}/alarm`,
    command: `${base}/down/command`,
    policy: `${base}/down/policy`,
    batch: `${base}/down/batch`,
    handset: (id) => `${base}/handset/${id}`,
    line: (board) => `${base}/line/${board}`,
    ack: (command) => `${base}/ack/${command}`,
  };
}
