/**
 * Which names of a container are fit to be used: no reader may take them for another file or a place outside.
 */

/** Why a name is refused; null: it is fit. */
export function nameFault(name: string): string | null {
  const parts = name.split('/')
  if (name === '' || name.length > 1024) return 'empty or too long'
  if (name.startsWith('/') || /^[A-Za-z]:/.test(name)) return 'absolute'
  if (name.includes('\\')) return 'backslash'
  // eslint-disable-next-line no-control-regex -- the characters that no name may hold
  if (/[\u0000-\u001f\u007f-\u009f\ufeff\u200e\u200f\u202a-\u202e\u2066-\u2069]/.test(name)) return 'control character'
  if (parts.some((part, index) => part === '..' || part === '.' || (part === '' && index < parts.length - 1))) {
    return 'leads elsewhere'
  }
  return null
}

/** Equal for names that some file system takes for the same: case and the forms of Unicode do not count. */
export function nameKey(name: string): string {
  return name.normalize('NFKC').toLowerCase().normalize('NFC')
}

/** Names that stand for the same file, beyond their first. */
export function doubledNames(names: readonly string[]): string[] {
  const seen = new Set<string>()
  return names.filter((name) => {
    const key = nameKey(name.replace(/\/$/, ''))
    const isDouble = seen.has(key)
    seen.add(key)
    return isDouble
  })
}
