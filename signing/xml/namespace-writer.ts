/**
 * Which namespace declarations a canonical form writes on which start tag.
 *
 * Inclusive: all that are in scope and not written yet (Canonical XML 1.0 §2.3). Exclusive: those that the tag uses
 * visibly, and those of the PrefixList as if inclusive (Exclusive XML Canonicalization 1.0 §3).
 */
import { compareCharacters } from './characters.ts'
import type { XmlElement } from './tree.ts'

type Declaration = readonly [prefix: string, uri: string]

/** A class because what was written is state that follows the walk through the tree. */
export class NamespaceWriter {
  private readonly rendered: Map<string, string>
  private readonly exclusive: ReadonlySet<string> | null
  /** per open element, what each declaration hid */
  private readonly hidden: (readonly (readonly [prefix: string, uri: string | undefined])[])[] = []

  constructor(rendered?: ReadonlyMap<string, string>, exclusive?: ReadonlySet<string>) {
    this.rendered = new Map(rendered)
    this.exclusive = exclusive ?? null
  }

  /** The declarations that the start tag of this element gets, in canonical order. */
  enter(element: XmlElement): readonly Declaration[] {
    const candidates = this.exclusive ? this.usedBy(element, this.exclusive) : this.newWith(element)
    const fresh = candidates.filter(([prefix, uri]) => (this.rendered.get(prefix) ?? '') !== uri)
    this.hidden.push(fresh.map(([prefix]) => [prefix, this.rendered.get(prefix)] as const))
    for (const [prefix, uri] of fresh) this.rendered.set(prefix, uri)
    return fresh.sort(([a], [b]) => compareCharacters(a, b))
  }

  leave(): void {
    for (const [prefix, uri] of this.hidden.pop() ?? []) {
      if (uri === undefined) this.rendered.delete(prefix)
      else this.rendered.set(prefix, uri)
    }
  }

  /** Below the apex, only what the tag declares itself can be new. */
  private newWith(element: XmlElement): Declaration[] {
    return [...(this.hidden.length === 0 ? element.scope : element.declarations)]
  }

  private usedBy(element: XmlElement, listed: ReadonlySet<string>): Declaration[] {
    const prefixes = new Set([element.prefix])
    for (const { prefix } of element.attributes) if (prefix !== '') prefixes.add(prefix)
    if (listed.size > 0) for (const [prefix] of this.newWith(element)) if (listed.has(prefix)) prefixes.add(prefix)
    prefixes.delete('xml')
    return [...prefixes].map((prefix) => [prefix, element.scope.get(prefix) ?? ''] as const)
  }
}
