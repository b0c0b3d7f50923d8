/** How large a signed XML document may be. */
import type { XmlLimits } from '../xml/parse.ts'

/** a tree takes some 300 bytes per element beside the text itself */
export const XADES_LIMITS: XmlLimits = { maxBytes: 32 * 1024 * 1024, maxDepth: 200, maxElements: 200_000 }
