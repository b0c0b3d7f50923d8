/**
 * Proofs of existence: since when it is proven that an object existed, and by what (ETSI EN 319 102-1 §5.6.2.3).
 *
 * An object is known by its objectId. Everything at hand exists now; time-stamps that passed prove more. What a
 * document claims about its own age is never a proof.
 */
export interface Proof {
  readonly time: Date
  /** id of a time-stamp, or `now` */
  readonly source: string
}

export class ProofsOfExistence {
  readonly now: Proof
  readonly #earliest = new Map<string, Proof>()

  constructor(now: Date) {
    this.now = { time: now, source: 'now' }
  }

  /** The earliest proof for this object. */
  of(objectId: string): Proof {
    return this.#earliest.get(objectId) ?? this.now
  }

  /** What a time-stamp at `time` proves. */
  add(objectIds: Iterable<string>, proof: Proof): void {
    for (const id of objectIds) if (proof.time < this.of(id).time) this.#earliest.set(id, proof)
  }
}

/** The earlier of two. */
export function earlier(a: Proof, b: Proof): Proof {
  return b.time < a.time ? b : a
}
