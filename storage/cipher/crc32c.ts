/** CRC-32C (Castagnoli; RFC 3720 appendix B.4), eight bytes at a step. A guard against accidents, not against people. */

const POLYNOMIAL = 0x82f63b78

const TABLES = buildTables()

/** A running CRC-32C with the two verbs of `crypto.Hash`; `digest` gives 4 bytes, big endian. */
export class Crc32c {
  #crc = 0xffffffff

  update(bytes: Uint8Array): this {
    const [t0, t1, t2, t3, t4, t5, t6, t7] = TABLES
    let crc = this.#crc
    let i = 0
    const whole = bytes.length - (bytes.length % 8)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (; i < whole; i += 8) {
      const low = crc ^ view.getUint32(i, true)
      const high = view.getUint32(i + 4, true)
      crc =
        at(t7, low & 0xff) ^
        at(t6, (low >>> 8) & 0xff) ^
        at(t5, (low >>> 16) & 0xff) ^
        at(t4, low >>> 24) ^
        at(t3, high & 0xff) ^
        at(t2, (high >>> 8) & 0xff) ^
        at(t1, (high >>> 16) & 0xff) ^
        at(t0, high >>> 24)
    }
    for (; i < bytes.length; i++) crc = (crc >>> 8) ^ at(t0, (crc ^ view.getUint8(i)) & 0xff)
    this.#crc = crc
    return this
  }

  digest(): Buffer {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE((this.#crc ^ 0xffffffff) >>> 0)
    return bytes
  }
}

type Table = Uint32Array
type Tables = [Table, Table, Table, Table, Table, Table, Table, Table]

function at(table: Table, index: number): number {
  return table[index] ?? 0
}

function buildTables(): Tables {
  const first = new Uint32Array(256).map((_, n) => {
    let crc = n
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    return crc
  })
  const next = (table: Table): Table => table.map((crc) => (crc >>> 8) ^ at(first, crc & 0xff))
  const tables: Table[] = [first]
  for (let i = 1; i < 8; i++) tables.push(next(tables[i - 1] ?? first))
  return tables as Tables
}
