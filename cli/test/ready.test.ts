import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'

const REPOSITORY = path.resolve(import.meta.dirname, '..', '..')

/** A small project of the same shape: ready.js, the real compiler, one source per module, one asset. */
function setup() {
  const root = mkdtempSync(path.join(os.tmpdir(), 'amtsbote-ready-'))
  for (const name of ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'])
    cpSync(path.join(REPOSITORY, name), path.join(root, name))
  for (const module of ['policies', 'storage', 'signing', 'mailbox', 'gateway', 'cli']) {
    mkdirSync(path.join(root, module, 'test'), { recursive: true })
    writeFileSync(path.join(root, module, 'index.ts'), 'export const here: string = import.meta.url\n')
    writeFileSync(path.join(root, module, 'test', 'x.test.ts'), 'nothing that compiles')
  }
  writeFileSync(path.join(root, 'cli', 'main.ts'), '#!/usr/bin/env node\nexport {}\n')
  writeFileSync(path.join(root, 'policies', 'levels.yaml'), 'levels: []\n')
  cpSync(path.join(REPOSITORY, 'cli', 'ready.js'), path.join(root, 'cli', 'ready.js'))
  const linkPackages = () => {
    symlinkSync(path.join(REPOSITORY, 'node_modules'), path.join(root, 'node_modules'))
  }
  return {
    root,
    linkPackages,
    end: () => {
      rmSync(root, { recursive: true, force: true })
    },
  }
}

const env = (root: string, extra: NodeJS.ProcessEnv = {}) => ({
  ...process.env,
  npm_execpath: path.join(root, 'npm.js'),
  NODE_OPTIONS: '',
  ...extra,
})

function run(root: string, args: string[], extra: NodeJS.ProcessEnv = {}) {
  const result = spawnSync(process.execPath, ['cli/ready.js', ...args], {
    cwd: root,
    encoding: 'utf8',
    env: env(root, extra),
  })
  return { status: result.status, said: result.stderr }
}

describe('ready.js', function () {
  this.timeout(60_000)
  let project: ReturnType<typeof setup>
  beforeEach(() => {
    project = setup()
  })
  afterEach(() => {
    project.end()
  })

  it('builds once, copies what is not TypeScript, and does nothing when all is fresh', () => {
    const { root, linkPackages } = project
    linkPackages()
    const first = run(root, ['build'])
    assert.equal(first.status, 0, first.said)
    assert.match(first.said, /building dist/)
    assert.ok(existsSync(path.join(root, 'dist/cli/main.js')))
    assert.ok(existsSync(path.join(root, 'dist/policies/levels.yaml')))
    assert.ok(!existsSync(path.join(root, 'dist/cli/test')), 'tests are not built')
    assert.ok(statSync(path.join(root, 'dist/cli/main.js')).mode & 0o100, 'the program can be run')
    const before = statSync(path.join(root, 'dist')).ino
    assert.deepEqual(run(root, ['build']), { status: 0, said: '' })
    assert.equal(statSync(path.join(root, 'dist')).ino, before)
  })

  it('builds again when a source or an asset changed, and keeps the old build when the new one fails', () => {
    const { root, linkPackages } = project
    linkPackages()
    run(root, ['build'])
    appendFileSync(path.join(root, 'policies', 'levels.yaml'), '# tighter\n')
    assert.match(run(root, ['build']).said, /building/)
    assert.match(readFileSync(path.join(root, 'dist/policies/levels.yaml'), 'utf8'), /tighter/)
    appendFileSync(path.join(root, 'cli', 'index.ts'), 'export const wrong: number = "text"\n')
    const failed = run(root, ['build'])
    assert.equal(failed.status, 1)
    assert.match(failed.said, /dist\/ is as it was/)
    assert.ok(existsSync(path.join(root, 'dist/cli/main.js')))
    assert.equal(run(root, ['build']).status, 1, 'it does not take the failed build for fresh')
  })

  it('installs when packages are missing or the lock has changed, and asks for development packages too', () => {
    const { root } = project
    const log = path.join(root, 'calls.txt')
    // Stands for npm: notes how it was called, then puts the packages there.
    const source = [
      `import fs from 'node:fs'`,
      `fs.appendFileSync(${JSON.stringify(log)}, process.argv.slice(2).join(' ') + '\\n')`,
      `fs.rmSync('node_modules', { recursive: true, force: true })`,
      `fs.symlinkSync(${JSON.stringify(path.join(REPOSITORY, 'node_modules'))}, 'node_modules')`,
    ]
    writeFileSync(path.join(root, 'npm.js'), source.join('\n'))
    const first = run(root, [], { NODE_ENV: 'production' })
    assert.equal(first.status, 0, first.said)
    assert.match(first.said, /installing packages/)
    assert.deepEqual(run(root, []), { status: 0, said: '' })
    assert.equal(readFileSync(log, 'utf8'), 'ci --include=dev --no-audit --no-fund --loglevel=error\n')
    const lock = path.join(root, 'package-lock.json')
    const changed = readFileSync(lock, 'utf8').replace(/("node_modules\/koa": \{\s*"version": ")[^"]+/, '$19.9.9')
    writeFileSync(lock, changed)
    assert.match(run(root, []).said, /installing packages/)
  })

  it('says what to do when the installation fails, and leaves no lock behind', () => {
    const { root } = project
    writeFileSync(path.join(root, 'npm.js'), 'process.exit(7)\n')
    const failed = run(root, ['build'])
    assert.equal(failed.status, 1)
    assert.match(failed.said, /npm ci failed/)
    assert.ok(!existsSync(path.join(root, '.ready.lock')))
  })

  it('lets a second run wait for the first, and breaks the lock of one that was killed', async () => {
    const { root, linkPackages } = project
    linkPackages()
    writeFileSync(path.join(root, '.ready.lock'), '999999999')
    const both = [0, 1].map(
      () =>
        new Promise<{ code: number | null; said: string }>((resolve) => {
          const child = spawn(process.execPath, ['cli/ready.js', 'build'], {
            cwd: root,
            env: env(root),
            stdio: ['ignore', 'ignore', 'pipe'],
          })
          let said = ''
          child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
          child.on('close', (code) => {
            resolve({ code, said })
          })
        }),
    )
    const results = await Promise.all(both)
    assert.deepEqual(
      results.map(({ code }) => code),
      [0, 0],
    )
    assert.equal(results.filter(({ said }) => said.includes('building dist')).length, 1, 'one of them builds')
    assert.ok(existsSync(path.join(root, 'dist/cli/main.js')))
    assert.ok(!existsSync(path.join(root, '.ready.lock')))
  })
})
