/** The import rules of the house. A breach fails the test run; the reasons are in the README of each room. */
const drivers = ['signalling', 'media', 'lines', 'uplink', 'store', 'console', 'provisioning'];

/** A room of drivers may not reach into another: they meet in calls/ and main.ts. */
const strangers = drivers.map((room) => ({
  name: `${room}-imports-no-other-driver`,
  severity: 'error',
  from: { path: `^gateway/${room}/` },
  to: { path: `^gateway/(${drivers.filter((other) => other !== room).join('|')})/` },
}));

module.exports = {
  forbidden: [
    { name: 'no-circular-imports', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'policy-is-pure',
      comment: 'policy/ decides with values: it reads no clock, no file, no socket and no process',
      severity: 'error',
      from: { path: '^gateway/policy/' },
      to: {
        pathNot: [
          '^gateway/policy/',
          '^gateway/clock/(clock|deadline)\\.ts$',
          '^config/schema/types\\.generated\\.ts$',
          // For one library's data, when it is first asked for.
          '^(node:)?module$',
          'node_modules/(temporal-polyfill|temporal-utils|temporal-spec|libphonenumber-js|date-holidays|date-holidays-parser)/',
        ],
      },
    },
    {
      name: 'calls-imports-no-driver',
      comment: 'calls/ knows the planes and the store by their interfaces alone',
      severity: 'error',
      from: { path: '^gateway/calls/' },
      to: { path: '^gateway/', pathNot: '^gateway/(calls|policy|clock)/' },
    },
    ...strangers,
    {
      name: 'sip-engine-stands-alone',
      severity: 'error',
      from: { path: '^gateway/sip-engine/' },
      to: { path: '^(gateway|device-agents|scripts|tests)/', pathNot: '^gateway/sip-engine/' },
    },
    {
      name: 'relay-process-stands-alone',
      severity: 'error',
      from: { path: '^gateway/media/relay/' },
      to: {
        path: '^(gateway|device-agents|scripts|tests)/',
        pathNot: '^gateway/media/(relay/|control-protocol\\.ts$)',
      },
    },
    {
      name: 'console-pages-know-wire-types-and-codes-alone',
      comment: 'the pages run in a browser: of the gateway they may know types, never code',
      severity: 'error',
      from: { path: '^gateway/console/web/' },
      to: {
        pathNot: [
          '^gateway/console/web/',
          '^gateway/(console/api/[a-z-]+|calls/(record|call-effect|call-state)|policy/decision)\\.ts$',
          'node_modules/(preact|vite)/',
          '^node:|^(path|url)$',
        ],
      },
    },
    {
      name: 'wire-types-know-one-another-alone',
      severity: 'error',
      from: { path: '^gateway/console/api/' },
      to: { pathNot: '^gateway/console/api/' },
    },
    {
      name: 'nothing-but-tests-imports-the-console-pages',
      severity: 'error',
      from: { path: '^(gateway|device-agents|scripts)/', pathNot: '^gateway/console/web/' },
      to: { path: '^gateway/console/web/' },
    },
    {
      name: 'device-agents-stand-alone',
      severity: 'error',
      from: { path: '^device-agents/' },
      to: { path: '^(gateway|scripts|tests)/' },
    },
    {
      name: 'the-gateway-knows-agents-by-the-bus-alone',
      comment: 'what tells systemd of a service is one for both: it knows nothing of either',
      severity: 'error',
      from: { path: '^gateway/' },
      to: { path: '^device-agents/', pathNot: '^device-agents/service-manager\\.ts$' },
    },
    {
      name: 'the-gateway-imports-no-script-and-no-test',
      severity: 'error',
      from: { path: '^(gateway|device-agents)/' },
      to: { path: '^(scripts|tests)/' },
    },
    { name: 'no-unresolvable-import', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no-package-that-is-not-declared',
      severity: 'error',
      from: { path: '^(gateway|device-agents|scripts)/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-file-named-for-nothing',
      severity: 'error',
      from: {},
      to: { path: '/(utils?|helpers?|common|misc)\\.[cm]?[jt]s$', pathNot: 'node_modules' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
