/** The application of the engine's benchmark: a bare drachtio-srf B2BUA, and nothing else. Arguments: client port, target URI. */
import Srf from 'drachtio-srf';

const [port = '', target = ''] = process.argv.slice(2);
const srf = new Srf();
srf.on('error', (error) => process.stderr.write(`${String(error)}\n`));
srf.invite((req, res) => {
  srf.createB2BUA(req, res, target, { localSdpB: req.body }).then(
    ({ uas, uac }) => {
      const end = (dialog: Srf.Dialog): void => void Promise.resolve(dialog.destroy()).catch(() => undefined);
      uas.on('destroy', () => end(uac));
      uac.on('destroy', () => end(uas));
    },
    () => undefined,
  );
});
srf.on('connect', () => process.stdout.write('connected\n'));
srf.connect({ host: '127.0.0.1', port: Number(port), secret: 'cymru' });
