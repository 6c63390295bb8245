import { livePid } from '../../gateway/supervisor/pid-file.js';
import { EXIT } from '../cli/command.js';
import { InstallFault } from './fault.js';
import type { Machine } from './machine.js';
import * as place from './places.js';

/**
 * Takes the program and what it put on the machine away. The site, its data and the users stay, unless `purge`. What is
 * gone already is no fault.
 */
export function uninstall(machine: Machine, purge: boolean): void {
  refuseRunning(machine);
  if (machine.has('/etc/systemd/system/balise.service')) {
    machine.command(['systemctl', 'disable', '--now', place.SERVICE]);
    machine.command(['systemctl', 'stop', place.EVERY_AGENT]);
  }
  for (const { to } of place.MACHINE_FILES) machine.remove(to);
  machine.remove(place.COMMAND);
  machine.remove(place.PROGRAMS);
  machine.command(['systemctl', 'daemon-reload']);
  machine.command(['udevadm', 'control', '--reload'], { optional: true });
  if (!purge) {
    machine.say(
      `the site in ${place.CONFIG} and its data in ${place.DATA} stay; scripts/install --uninstall --purge removes them`,
    );
    return;
  }
  for (const path of [place.CONFIG, place.DATA, place.RUN]) machine.remove(path);
  machine.command(['sh', '-c', `getent passwd ${place.USER} >/dev/null && userdel ${place.USER} || true`]);
  machine.command([
    'sh',
    '-c',
    `getent group ${place.SERIAL_GROUP} >/dev/null && groupdel ${place.SERIAL_GROUP} || true`,
  ]);
}

/** Whatever state its site is in: the lock alone says whether a gateway runs. */
function refuseRunning(machine: Machine): void {
  const pid = machine.isLive ? undefined : livePid(machine.at(`${place.RUN}/gateway.pid`));
  if (pid !== undefined) throw new InstallFault(`a gateway runs on this root (process ${pid}): stop it first`, EXIT.no);
}
