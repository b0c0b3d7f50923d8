/**
 * Many short byte strings as one, for the way between threads: a message with one block of memory is copied at once,
 * a list of Buffers one by one, each with the pool that it lies in.
 */
export interface Packed {
  bytes: Uint8Array
  /** of each string, in bytes */
  lengths: number[]
}

export function pack(strings: readonly Uint8Array[]): Packed {
  return { bytes: Buffer.concat(strings), lengths: strings.map(({ length }) => length) }
}

/** The strings as views of the one block. */
export function unpack({ bytes, lengths }: Packed): Buffer[] {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  let end = 0
  return lengths.map((length) => whole.subarray(end, (end += length)))
}
