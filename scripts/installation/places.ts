/** Where things are on a machine: the paths of an installation, as the units and the manual know them. */

/** Holds a folder for each version, the link `current`, and the installer's own notes. */
export const PROGRAMS = '/opt/balise';
export const CURRENT = `${PROGRAMS}/current`;
export const NOTES = `${PROGRAMS}/installed.json`;
export const CONFIG = '/etc/balise';
export const SITE = `${CONFIG}/site`;
export const AGENTS = `${CONFIG}/agents`;
export const DATA = '/var/lib/balise';
export const BACKUPS = `${DATA}/backups`;
export const RUN = '/run/balise';
export const COMMAND = '/usr/local/bin/balise';

export const SERVICE = 'balise.service';
/** Every agent that systemd runs; for commands that take a pattern. */
export const EVERY_AGENT = 'balise-agent@*.service';
export const USER = 'balise';
export const SERIAL_GROUP = 'balise-serial';

/** Files of config/systemd/, and where the machine wants each. */
export const MACHINE_FILES: readonly { readonly name: string; readonly to: string }[] = [
  { name: 'balise.service', to: '/etc/systemd/system/balise.service' },
  { name: 'balise-agent@.service', to: '/etc/systemd/system/balise-agent@.service' },
  { name: 'balise-sysusers.conf', to: '/etc/sysusers.d/balise.conf' },
  { name: '60-balise-serial.rules', to: '/etc/udev/rules.d/60-balise-serial.rules' },
  { name: 'balise-journald.conf', to: '/etc/systemd/journald.conf.d/balise.conf' },
  { name: 'balise.nft', to: `${CONFIG}/firewall-example.nft` },
];

/** `balise` on the path, with the runtime of the version in use. */
export const COMMAND_TEXT = `#!/bin/sh
exec ${CURRENT}/runtime/bin/node ${CURRENT}/scripts/balise.mjs "$@"
`;
