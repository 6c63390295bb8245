/** The tables of one law of G.711: a byte to 16-bit linear, and 16-bit linear (plus 32768) to the nearest byte. */
export interface LawTables {
  readonly decode: Int16Array;
  readonly encode: Uint8Array;
  /** The byte nearest to no sound. */
  readonly silence: number;
}

/** ITU-T G.711 table 1a; bytes are sent with their even bits inverted. */
function decodeALaw(byte: number): number {
  const code = byte ^ 0x55;
  const segment = (code & 0x70) >> 4;
  const step = ((code & 0x0f) << 4) + (segment === 0 ? 8 : 0x108);
  const magnitude = segment > 1 ? step << (segment - 1) : step;
  return code & 0x80 ? magnitude : -magnitude;
}

/** ITU-T G.711 table 2a; bytes are sent inverted. */
function decodeMuLaw(byte: number): number {
  const code = ~byte & 0xff;
  const magnitude = ((((code & 0x0f) << 3) + 0x84) << ((code & 0x70) >> 4)) - 0x84;
  return code & 0x80 ? -magnitude : magnitude;
}

function tablesOf(decodeByte: (byte: number) => number): LawTables {
  const decode = Int16Array.from({ length: 256 }, (_, byte) => decodeByte(byte));
  const byLevel = Array.from(decode, (level, byte) => ({ level, byte })).sort((a, b) => a.level - b.level);
  const encode = new Uint8Array(65_536);
  let from = 0;
  for (const [at, { level, byte }] of byLevel.entries()) {
    const next = byLevel[at + 1];
    // µ-law has two bytes for no sound.
    if (next?.level === level) continue;
    // Halfway between two levels the higher one is taken.
    const to = next === undefined ? encode.length : Math.ceil((level + next.level) / 2) + 32_768;
    encode.fill(byte, from, to);
    from = to;
  }
  return { decode, encode, silence: encode[32_768] ?? 0 };
}

export const LAWS: Readonly<Record<'pcma' | 'pcmu', LawTables>> = {
  pcma: tablesOf(decodeALaw),
  pcmu: tablesOf(decodeMuLaw),
};
