import type { PhoneTemplate } from '../../config/schema/types.generated.js';

/** One setting of one device, with its value filled in. */
export interface Setting {
  readonly name: string;
  readonly value: string;
  /** The port that it is of, from 1; absent: of the device as a whole. */
  readonly port?: number;
  /** The part of the file that it stands in; Fanvil's alone. */
  readonly module?: string;
}

interface About {
  readonly mac: string;
  readonly armedUntilMs: number;
}

type Written = { readonly type: string; readonly body: string };

/** Settings as each maker's devices read them. Pure. A line break in a name or a value is a fault of the program: it throws. */
export function written(format: PhoneTemplate['format'], settings: readonly Setting[], about: About): Written {
  const broken = settings.find(({ name, value }) => /[\r\n]/.test(name + value));
  if (broken !== undefined) throw new Error(`the setting ${JSON.stringify(broken.name)} has a line break in it`);
  switch (format) {
    case 'grandstream-xml':
      return { type: 'text/xml; charset=utf-8', body: grandstream(settings, about.mac) };
    case 'yealink-cfg':
      return { type: 'text/plain; charset=utf-8', body: yealink(settings) };
    case 'snom-xml':
      return { type: 'text/xml; charset=utf-8', body: snom(settings) };
    case 'fanvil-cfg':
      return { type: 'text/plain; charset=utf-8', body: fanvil(settings, about.armedUntilMs) };
    case 'sheet':
      return { type: 'text/plain; charset=utf-8', body: sheet(settings) };
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};
const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => ESCAPES[sign] ?? sign);

/** P-values in the frame of the SIP Device Provisioning Guide; the device checks that `mac` is its own. */
function grandstream(settings: readonly Setting[], mac: string): string {
  const lines = settings.map(({ name, value }) => `    <${name}>${escaped(value)}</${name}>`);
  return `<?xml version="1.0" encoding="UTF-8"?>
<gs_provision version="1">
  <mac>${mac}</mac>
  <config version="1">
${lines.join('\n')}
  </config>
</gs_provision>
`;
}

/** `name = value` below the line by which a phone knows the file for one of its own. */
function yealink(settings: readonly Setting[]): string {
  return `#!version:1.0.0.1\n${settings.map(({ name, value }) => `${name} = ${value}\n`).join('')}`;
}

/** `perm="R"`: the user of the phone may not change it. */
function snom(settings: readonly Setting[]): string {
  const lines = settings.map(({ name, value, port }) => {
    const idx = port === undefined ? '' : ` idx="${port}"`;
    return `    <${name}${idx} perm="R">${escaped(value)}</${name}>`;
  });
  return `<?xml version="1.0" encoding="utf-8"?>
<settings>
  <phone-settings e="2">
${lines.join('\n')}
  </phone-settings>
</settings>
`;
}

/**
 * Modules of `name :value`, with CRLF. The first line is 64 bytes long with its end, and its version must be greater than
 * that of the file which the phone has: that of a later arming is.
 */
function fanvil(settings: readonly Setting[], armedUntilMs: number): string {
  const version = String(Math.trunc(armedUntilMs / 1000)).padStart(10, '0');
  const modules = new Map<string, Setting[]>();
  for (const setting of settings) {
    const module = setting.module ?? 'PHONE FEATURE MODULE';
    modules.set(module, [...(modules.get(module) ?? []), setting]);
  }
  const lines = [`<<VOIP CONFIG FILE>>Version:2.${version}`.padEnd(62)];
  for (const [module, own] of modules) {
    lines.push('', `<${module}>`);
    for (const { name, value } of own) lines.push(`${name.padEnd(24)}:${value}`);
  }
  return [...lines, '<<END OF FILE>>', ''].join('\r\n');
}

/** For a technician to key in: what is of the device first, then each port. */
function sheet(settings: readonly Setting[]): string {
  const width = Math.max(...settings.map(({ name }) => name.length));
  const line = ({ name, value }: Setting): string => `  ${name.padEnd(width)}  ${value}`;
  const ports = [...new Set(settings.flatMap(({ port }) => (port === undefined ? [] : [port])))];
  const parts = [
    ['the device', ...settings.filter(({ port }) => port === undefined).map(line)],
    ...ports.map((port) => [`port ${port}`, ...settings.filter((one) => one.port === port).map(line)]),
  ];
  return `${parts.map((part) => part.join('\n')).join('\n\n')}\n`;
}
