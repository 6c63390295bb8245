import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { until } from '../device-agents/harness.js';

/** What a small Debian needs to be one that boots. */
const PACKAGES = 'systemd,systemd-sysv,dbus,udev,procps,iproute2,libstdc++6';
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Everything that a machine has of its own, and then its systemd as the first process. The folder of cgroups is made before,
 * so that the new namespace has it as its root and nothing of this machine's is in there.
 */
const BOOT = `
set -e
root=$1
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 none "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
node() { mknod -m 666 "$root/dev/$1" c "$2" "$3"; }
node null 1 3; node zero 1 5; node full 1 7; node random 1 8; node urandom 1 9; node tty 5 0
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
mount -t tmpfs tmpfs "$root/dev/shm"
ip link set lo up
exec chroot "$root" /usr/bin/env -i container=balise PATH=${PATH} /lib/systemd/systemd --system
`;

export interface Done {
  readonly status: number | null;
  readonly said: string;
}

/**
 * A Debian of its own in a folder, booted by its own systemd in namespaces of its own: processes, mounts, network, cgroups.
 * It wants root, debootstrap with a Debian mirror (once: the folder is kept), and a kernel with cgroups v2.
 */
export class BootedMachine {
  readonly #cgroup: string;
  readonly #child: ChildProcess;

  private constructor(
    readonly root: string,
    cgroup: string,
    child: ChildProcess,
  ) {
    this.#cgroup = cgroup;
    this.#child = child;
  }

  /** Makes the folder where it is not there, and takes away what an installation before left in it. */
  static prepare(root: string): void {
    if (!existsSync(join(root, 'lib', 'systemd', 'systemd'))) {
      const args = ['--variant=minbase', `--include=${PACKAGES}`, 'bookworm', root];
      const { status, stdout, stderr } = spawnSync('debootstrap', args, { encoding: 'utf8' });
      if (status !== 0) throw new Error(`debootstrap: ${stdout?.slice(-500)} ${stderr}`);
    }
    const left = ['srv/balise', 'srv/site', 'opt/balise', 'var/lib/balise', 'etc/balise', 'usr/local/bin/balise'];
    const units = ['balise.service', 'balise.service.d', 'multi-user.target.wants/balise.service'];
    for (const path of [...left, ...units.map((unit) => `etc/systemd/system/${unit}`)])
      rmSync(join(root, path), { recursive: true, force: true });
    // The runtime of the machine: what a release without one of its own points at.
    rmSync(join(root, 'usr', 'bin', 'node'), { force: true });
    cpSync(realpathSync(process.execPath), join(root, 'usr', 'bin', 'node'));
  }

  static async boot(t: Test, root: string): Promise<BootedMachine> {
    const [, where] = /^\S+ (\S+) cgroup2 /m.exec(readFileSync('/proc/mounts', 'utf8')) ?? [];
    if (where === undefined) throw new Error('this kernel has no cgroups v2 mounted');
    const cgroup = join(where, `balise-booted-${process.pid}`);
    mkdirSync(cgroup);
    const spaces = ['--pid', '--mount', '--uts', '--ipc', '--cgroup', '--net', '--fork', '--kill-child'];
    const enter = `echo $$ > '${cgroup}/cgroup.procs'; exec unshare ${spaces.join(' ')} sh -c "$1" sh "$2"`;
    const child = spawn('sh', ['-c', enter, 'sh', BOOT, root], { stdio: ['ignore', 'ignore', 'inherit'] });
    const machine = new BootedMachine(root, cgroup, child);
    t.teardown(() => machine.#end());
    await until('systemd answers', () =>
      /^(running|degraded)/.test(machine.run('systemctl', 'is-system-running').said),
    );
    return machine;
  }

  /** Runs a command in the machine, as its root. */
  run(...command: readonly string[]): Done {
    const first = this.#first;
    if (first === undefined) return { status: null, said: '' };
    const enter = ['--target', first, '--pid', '--mount', '--uts', '--ipc', '--net', '--cgroup', '--root', '--wd'];
    const { status, stdout, stderr } = spawnSync('nsenter', [...enter, ...command], {
      encoding: 'utf8',
      env: { PATH, HOME: '/root' },
    });
    return { status, said: `${stdout}${stderr}` };
  }

  /** What systemd says of a property of a unit. */
  is(unit: string, property: string): string {
    return this.run('systemctl', 'show', '--property', property, '--value', unit).said.trim();
  }

  /** The machine's own first process, by the number that it has here. */
  get #first(): string | undefined {
    const file = `/proc/${this.#child.pid}/task/${this.#child.pid}/children`;
    if (!existsSync(file)) return undefined;
    const first = readFileSync(file, 'utf8').trim().split(' ')[0];
    if (first === undefined || first === '') return undefined;
    return readFileSync(`/proc/${first}/comm`, 'utf8').trim() === 'systemd' ? first : undefined;
  }

  async #end(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGKILL');
      await once(this.#child, 'close');
    }
    // Its processes are gone a moment after their namespace; its folders of cgroups are empty then.
    const remove = (): boolean =>
      spawnSync('find', [this.#cgroup, '-mindepth', '0', '-depth', '-type', 'd', '-exec', 'rmdir', '{}', '+'])
        .status === 0;
    await until('its cgroups are empty', () => remove() || !existsSync(this.#cgroup), 5_000);
  }
}
