// The floor plan as law: a folder imports only from those below it, and a folder is its index.ts.
const BELOW = {
  policies: [],
  storage: ['policies'],
  signing: ['policies'],
  mailbox: ['policies', 'storage', 'signing'],
  gateway: ['policies', 'storage', 'signing', 'mailbox'],
  cli: ['policies', 'storage', 'signing', 'mailbox', 'gateway'],
}
const modules = Object.keys(BELOW)
const outside = (m) => modules.filter((x) => x !== m && !BELOW[m].includes(x))
module.exports = {
  forbidden: [
    {
      name: 'policies-imports-nothing',
      severity: 'error',
      from: { path: '^policies/', pathNot: '/(test|bench)/' },
      to: { pathNot: '^policies/' },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    ...modules
      .filter((m) => outside(m).length)
      .map((m) => ({
        name: `${m}-looks-only-down`,
        severity: 'error',
        from: { path: `^${m}/`, pathNot: '/(test|bench)/' },
        to: { path: `^(${outside(m).join('|')})/` },
      })),
    ...modules
      .filter((m) => m !== 'cli')
      .map((m) => ({
        name: `${m}-by-its-face`,
        severity: 'error',
        from: { pathNot: [`^${m}/`, '^cli/compose\\.ts$', '/(test|bench)/'] },
        to: { path: `^${m}/`, pathNot: `^${m}/index\\.ts$` },
      })),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
  },
}
