/** Thousands of gateways with made-up traffic and faults against a real broker. `--help` tells how. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Ed25519PublicKey } from '../../config/schema/types.generated.js';
import { systemClock } from '../../gateway/clock/system-clock.js';
import { SimulatedFleet } from './fleet.js';

const HELP = `simulate-fleet: many gateways with made-up traffic, from one machine

usage: node dist/scripts/simulate-fleet/main.js --url <broker> [options]

  --url <broker>        mqtt://127.0.0.1:1883; a broker of your own, on this machine
  --gateways <n>        100
  --handsets <n>        of each gateway; 50
  --calls <n>           of each handset in an hour; 6
  --talk <seconds>      the longest talk; 120
  --connects <n>        gateways that connect in a second; 100
  --drop, --forget, --alarm <p>   for each call: its connection drops; an event is taken for sent and is not; an alarm. 0, 0, 0.01
  --keys <file>         headquarters' public key (JWK): orders by it are obeyed
  --seed <n>            1
  --seconds <n>         ends after so long; else at Ctrl-C

Says each second: gateways connected, events written, events waiting.
`;

const OPTIONS = {
  url: { type: 'string' },
  gateways: { type: 'string', default: '100' },
  handsets: { type: 'string', default: '50' },
  calls: { type: 'string', default: '6' },
  talk: { type: 'string', default: '120' },
  connects: { type: 'string', default: '100' },
  drop: { type: 'string', default: '0' },
  forget: { type: 'string', default: '0' },
  alarm: { type: 'string', default: '0.01' },
  keys: { type: 'string' },
  seed: { type: 'string', default: '1' },
  seconds: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

async function main(): Promise<number> {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help === true || values.url === undefined) {
    process.stdout.write(HELP);
    return values.help === true ? 0 : 64;
  }
  const clock = systemClock(() => ({ trusted: true }));
  const number = (text: string) => Number(text);
  const fleet = new SimulatedFleet({
    url: values.url,
    gateways: number(values.gateways),
    handsets: number(values.handsets),
    callsAnHour: number(values.calls),
    talkS: number(values.talk),
    connectsAS: number(values.connects),
    commandKeys: values.keys === undefined ? [] : [JSON.parse(readFileSync(values.keys, 'utf8')) as Ed25519PublicKey],
    statusS: 30,
    faults: { drop: number(values.drop), forget: number(values.forget), alarm: number(values.alarm) },
    seed: number(values.seed),
    clock,
  });
  const telling = setInterval(() => {
    const { connected, written, waiting } = fleet.counts;
    console.log(`${connected} connected, ${written} events, ${waiting} waiting`);
  }, 1_000);
  const ended = new Promise<void>((settle) => {
    process.once('SIGINT', () => settle());
    process.once('SIGTERM', () => settle());
    if (values.seconds !== undefined) clock.after(number(values.seconds) * 1_000, settle);
  });
  void fleet.start();
  await ended;
  clearInterval(telling);
  const { user, system } = process.cpuUsage();
  const megabytes = Math.round(process.memoryUsage().rss / 1e6);
  const { written } = fleet.counts;
  await fleet.stop();
  console.log(`ended: ${written} events, ${((user + system) / 1e6).toFixed(1)} s of CPU, ${megabytes} MB`);
  return 0;
}

process.exitCode = await main();
