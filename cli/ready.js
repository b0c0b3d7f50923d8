/**
 * Makes the working copy ready: `node cli/ready.js` installs packages, `node cli/ready.js build` also builds dist/.
 *
 * Runs before start, demo and test on a machine that has only Node and npm, so it uses Node built-ins and nothing else.
 * When packages match package-lock.json and dist/ matches the sources it does nothing, in well under 0.2 s.
 * Two at once are safe: the second waits for the first and then finds everything done.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const MODULES = ['policies', 'storage', 'signing', 'mailbox', 'gateway', 'cli']
const BUILD_INPUTS = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json']
const LOCK = path.join(ROOT, '.ready.lock')
const STAMP = 'build-of.txt'
const LOCK_IS_STALE_AFTER_MS = 20 * 60 * 1000

const wantsBuild = process.argv.includes('build')
const force = process.argv.includes('--force')

main()

function main() {
  refuseOldNode()
  if (isReady() && !force) return
  takeLock()
  try {
    if (!packagesAreReady()) install()
    if (wantsBuild && (force || !buildIsReady())) build()
  } finally {
    fs.rmSync(LOCK, { force: true })
  }
}

function isReady() {
  return packagesAreReady() && (!wantsBuild || buildIsReady())
}

function refuseOldNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  fail(`Node ${process.versions.node} is too old: install Node 20.19 or newer and run the command again`)
}

/**
 * npm writes node_modules/.package-lock.json last, so what it lists was installed whole; a later loss of a folder shows as a missing
 * package.json. Development packages may be absent where nothing needs them: tests need mocha, an outdated dist/ needs the compiler.
 */
function packagesAreReady() {
  const wanted = readJson('package-lock.json')?.packages
  const installed = readJson('node_modules/.package-lock.json')?.packages
  if (!wanted || !installed) return false
  if (!Object.entries(wanted).every(([folder, entry]) => isInstalled(folder, entry, installed[folder]))) return false
  if (Object.keys(installed).some((folder) => !(folder in wanted))) return false
  return neededTools().every((name) => fs.existsSync(path.join(ROOT, 'node_modules', name, 'package.json')))
}

function isInstalled(folder, entry, found) {
  if (folder === '' || entry.link) return true
  if (!found) return Boolean(entry.optional || entry.devOptional || entry.dev || entry.peer)
  const isSame = found.version === entry.version && found.integrity === entry.integrity
  return isSame && fs.existsSync(path.join(ROOT, folder, 'package.json'))
}

function neededTools() {
  if (wantsBuild) return force || !buildIsReady() ? ['typescript7'] : []
  return ['mocha', 'tsx']
}

function install() {
  say('installing packages (npm ci): nothing is installed yet, or package-lock.json has changed')
  // The compiler is a development package: ask for it even where NODE_ENV=production or omit=dev is set.
  const viaNpm = process.env.npm_execpath
  const isScript = viaNpm !== undefined && /\.[cm]?js$/.test(viaNpm)
  const command = isScript ? process.execPath : 'npm'
  const args = [...(isScript ? [viaNpm] : []), 'ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']
  const result = spawnSync(command, args, {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32' && !isScript,
  })
  if (result.error) fail(`npm could not be started (${result.error.message}): install npm, then run the command again`)
  if (result.status !== 0)
    fail('npm ci failed, see above: check the connection to the package registry, then run the command again')
}

/** dist/ is fresh when its stamp is the hash of everything that goes into it; the stamp is part of the folder that is swapped in. */
function buildIsReady() {
  try {
    return fs.readFileSync(path.join(ROOT, 'dist', STAMP), 'utf8') === hashOfInputs()
  } catch {
    return false
  }
}

function build() {
  say('building dist/')
  const stamp = hashOfInputs()
  const next = path.join(ROOT, 'dist.next')
  fs.rmSync(next, { recursive: true, force: true })
  const compiler = path.join(ROOT, 'node_modules', 'typescript7', 'bin', 'tsc')
  const result = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', next], {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (result.status !== 0) fail('the build failed, see above; dist/ is as it was')
  for (const file of sourceFiles().filter(isCopied)) {
    const target = path.join(next, file)
    fs.mkdirSync(path.dirname(target), { recursive: true })
    fs.copyFileSync(path.join(ROOT, file), target)
  }
  fs.copyFileSync(path.join(ROOT, 'package.json'), path.join(next, 'package.json'))
  fs.chmodSync(path.join(next, 'cli', 'main.js'), 0o755)
  fs.writeFileSync(path.join(next, STAMP), stamp)
  const old = path.join(ROOT, 'dist.old')
  fs.rmSync(old, { recursive: true, force: true })
  if (fs.existsSync(path.join(ROOT, 'dist'))) fs.renameSync(path.join(ROOT, 'dist'), old)
  fs.renameSync(next, path.join(ROOT, 'dist'))
  fs.rmSync(old, { recursive: true, force: true })
}

function hashOfInputs() {
  const hash = createHash('sha256')
  for (const file of [...BUILD_INPUTS, ...sourceFiles()]) {
    const bytes = fs.readFileSync(path.join(ROOT, file))
    hash.update(`${file}\0${bytes.length}\0`).update(bytes)
  }
  return hash.digest('hex')
}

/** Everything under the modules but tests, benches and texts for readers, as paths from the root, sorted. */
function sourceFiles() {
  const found = []
  const walk = (folder) => {
    for (const entry of fs.readdirSync(path.join(ROOT, folder), { withFileTypes: true })) {
      const file = `${folder}/${entry.name}`
      if (entry.isDirectory() && entry.name !== 'test' && entry.name !== 'bench') walk(file)
      else if (entry.isFile() && !entry.name.endsWith('.md') && file !== 'cli/ready.js') found.push(file)
    }
  }
  for (const module of MODULES) walk(module)
  return found.sort()
}

function isCopied(file) {
  return !file.endsWith('.ts')
}

/** Waits while another run holds the lock; a lock whose process is gone, or that is very old, is taken over. */
function takeLock() {
  for (let waited = 0; ; waited += 1) {
    try {
      fs.writeFileSync(LOCK, String(process.pid), { flag: 'wx' })
      return
    } catch (error) {
      if (error.code !== 'EEXIST') fail(`${LOCK} cannot be written (${error.code}): check who may write here`)
    }
    if (lockIsStale()) breakLock()
    else if (waited === 0) say('another run is installing or building, waiting for it')
    sleep(100)
  }
}

function lockIsStale(lock = LOCK) {
  try {
    const age = Date.now() - fs.statSync(lock).mtimeMs
    const pid = Number(fs.readFileSync(lock, 'utf8'))
    if (age > LOCK_IS_STALE_AFTER_MS) return true
    if (!Number.isInteger(pid) || pid <= 0) return age > 5000
    process.kill(pid, 0)
    return false
  } catch (error) {
    return error.code === 'ESRCH'
  }
}

/** Moves the stale lock aside; where another run was quicker and this is already its fresh one, puts it back. */
function breakLock() {
  const aside = `${LOCK}.${process.pid}`
  try {
    fs.renameSync(LOCK, aside)
    if (lockIsStale(aside)) fs.rmSync(aside, { force: true })
    else fs.renameSync(aside, LOCK)
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
}

function sleep(milliseconds) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}

function readJson(file) {
  try {
    return JSON.parse(fs.readFileSync(path.join(ROOT, file), 'utf8'))
  } catch {
    return undefined
  }
}

function say(text) {
  process.stderr.write(`amtsbote: ${text}\n`)
}

function fail(text) {
  say(text)
  if (fs.existsSync(LOCK) && fs.readFileSync(LOCK, 'utf8') === String(process.pid)) fs.rmSync(LOCK, { force: true })
  process.exit(1)
}
