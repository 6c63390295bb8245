/** What a handset may not ask for inside a call, and what it is told. */
export const FORBIDDEN: Readonly<Record<string, { status: number; alarm: boolean }>> = {
  refer: { status: 603, alarm: true },
  message: { status: 405, alarm: false },
  notify: { status: 405, alarm: false },
  subscribe: { status: 405, alarm: false },
  publish: { status: 405, alarm: false },
};

/** Whether a re-INVITE's SDP keeps the address, port and payload types of the one before. */
export function sameMedia(now: string, before: string): boolean {
  const of = (sdp: string) =>
    [
      /^c=(.*)$/m.exec(sdp)?.[1]?.trim(),
      /^m=audio (.*)$/m.exec(sdp)?.[1]?.trim(),
      (sdp.match(/^m=/gm) ?? []).length,
    ].join('|');
  return now === '' || of(now) === of(before);
}
