/**
 * What HEAD has to hand back as it was given: `Upload-Metadata` and `Upload-Concat`.
 *
 * Storage keeps one opaque text with an upload and does not look into it; this is its inside. The addresses in a
 * final's `Upload-Concat` are tickets of partials that the final has taken over, so they open nothing any more.
 */
export interface KeptHeaders {
  uploadMetadata: string | null
  uploadConcat: string | null
}

/** One line of JSON. */
export function packHeaders({ uploadMetadata, uploadConcat }: KeptHeaders): string {
  return JSON.stringify([uploadMetadata, uploadConcat])
}

/** Inverse of {@link packHeaders}; text of any other origin gives two nulls. */
export function unpackHeaders(text: string): KeptHeaders {
  let kept: unknown
  try {
    kept = JSON.parse(text)
  } catch {
    kept = null // an upload that was begun by something else than this endpoint
  }
  const [metadata, concat] = Array.isArray(kept) ? (kept as unknown[]) : []
  return {
    uploadMetadata: typeof metadata === 'string' ? metadata : null,
    uploadConcat: typeof concat === 'string' ? concat : null,
  }
}
