import assert from 'node:assert/strict'
import { temporaryInstallation, type Installation } from '../support/cli.ts'

const CITY = `units:
  - name: Rechtsamt
users:
  - { address: Erika@example.org, name: Erika Muster }
  - { address: karl@example.org, name: Karl Amt, audience: staff, unit: Rechtsamt }
rooms:
  - name: Verfahren 1
    level: SB3
    unit: Rechtsamt
    members:
      - { address: erika@example.org, role: contributor }
      - { address: karl@example.org, role: manager }
  - name: Pressefotos
    level: SB2
`

interface Change {
  verb: string
  what: string
  name: string
  fields: string[]
}

describe('apply', function () {
  this.timeout(60_000)
  let at: Installation
  before(() => {
    at = temporaryInstallation()
  })
  after(() => {
    at.end()
  })

  it('says what it would do and does nothing of it', async () => {
    const file = at.file('city.yaml', CITY)
    const would = (await at.json('apply', file, '--dry-run')) as Change[]
    assert.equal(would.length, 7)
    assert.deepEqual(await at.json('room', 'list'), [])
    assert.deepEqual(await at.json('unit', 'list'), [])
  })

  it('creates what the file names, and the second time finds nothing to do', async () => {
    const file = at.file('city.yaml', CITY)
    const would = await at.json('apply', file, '--dry-run')
    assert.deepEqual(await at.json('apply', file), would)
    const rooms = (await at.json('room', 'list')) as { name: string; level: string }[]
    assert.deepEqual(rooms.map(({ name, level }) => [name, level]).toSorted(), [
      ['Pressefotos', 'SB2'],
      ['Verfahren 1', 'SB3'],
    ])
    assert.deepEqual(await at.json('apply', file), [])
    assert.deepEqual(await at.json('apply', file, '--dry-run'), [])
  })

  it('changes what differs and leaves alone what is not named', async () => {
    const changed = at.file(
      'city.yaml',
      CITY.replace('role: contributor', 'role: reader')
        .replace('Karl Amt', 'Karl B. Amt')
        .replace(/ {2}- name: Pressefotos\n.*\n/, ''),
    )
    const changes = (await at.json('apply', changed)) as Change[]
    assert.deepEqual(
      changes.map(({ verb, what, fields }) => [verb, what, fields.join()]),
      [
        ['change', 'user', 'name'],
        ['change', 'member', 'role'],
      ],
    )
    assert.equal(((await at.json('room', 'list')) as unknown[]).length, 2)
  })

  it('names the line of an unknown unit, person, level or key, and does nothing', async () => {
    const wrong: [string, RegExp][] = [
      [
        'rooms:\n  - name: A\n  - name: B\n    unit: Nirgends\n',
        /^amtsbote: city\.yaml:4: there is no unit Nirgends.*nothing was changed\n$/,
      ],
      [
        'rooms:\n  - name: C\n    members:\n      - address: nobody@example.org\n',
        /^amtsbote: city\.yaml:4: there is no user nobody@example\.org/,
      ],
      ['rooms:\n  - name: D\n    level: SB4\n', /^amtsbote: city\.yaml:3: level SB4 is not in force here/],
      ['rooms:\n  - name: E\n    lvl: SB3\n', /^amtsbote: city\.yaml:3: unknown key "lvl" in rooms\.0/],
      ['units:\n  - name: F\n  - name: f\n', /^amtsbote: city\.yaml:3: this stands in the file twice/],
      ['users:\n  - address: none\n', /^amtsbote: city\.yaml:2: users\.0\.address: write an e-mail address/],
      ['rooms:\n  - name: "bad\\0name"\n', /^amtsbote: city\.yaml:2: /],
    ]
    for (const [text, complaint] of wrong) {
      const { code, err, out } = await at.cli('apply', at.file('city.yaml', text))
      assert.equal(code, 2, text)
      assert.match(err, complaint)
      assert.equal(out, '')
    }
    const rooms = (await at.json('room', 'list')) as { name: string }[]
    assert.deepEqual(
      rooms.filter(({ name }) => /^[A-E]$/.test(name)),
      [],
    )
    assert.equal(((await at.json('unit', 'list')) as unknown[]).length, 1)
  })

  it('makes no keys for a mailbox of a file that is wrong elsewhere', async () => {
    const box = 'kind: own, name: Bauamt, address: bauamt, keys: bauamt'
    const { code } = await at.cli('apply', at.file('city.yaml', `mailboxes:\n  - { ${box}, unit: Nirgends }\n`))
    assert.equal(code, 2)
    const keys = (await at.json('key', 'list')) as { name: string }[]
    assert.deepEqual(
      keys.filter(({ name }) => name.startsWith('bauamt')),
      [],
    )
  })

  it('makes a mailbox with its own keys, once', async () => {
    const file = at.file(
      'city.yaml',
      'mailboxes:\n  - { kind: own, name: Rechtsamt, address: rechtsamt, keys: rechtsamt }\n',
    )
    const would = (await at.json('apply', file, '--dry-run')) as Change[]
    assert.deepEqual(
      would.map(({ what }) => what),
      ['mailbox'],
    )
    assert.deepEqual(
      ((await at.json('apply', file)) as Change[]).map(({ what }) => what),
      ['mailbox'],
    )
    assert.deepEqual(await at.json('apply', file), [])
    const boxes = (await at.json('message', 'mailboxes')) as { name: string; kind: string }[]
    assert.ok(boxes.some(({ name, kind }) => name === 'Rechtsamt' && kind === 'own'))
  })
})
