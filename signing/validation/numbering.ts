/**
 * Ids for signatures and time-stamps of one document, in the order in which they are read: `S1`, `S2` …, `T1`, `T2` …
 */
export interface Numbering {
  nextSignatureId: () => string
  nextTimestampId: () => string
}

export function numbering(): Numbering {
  let signatures = 0
  let timestamps = 0
  return { nextSignatureId: () => `S${++signatures}`, nextTimestampId: () => `T${++timestamps}` }
}
