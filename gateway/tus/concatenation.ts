/**
 * `Upload-Concat` (tus 1.0.0, concatenation extension): a file sent as several uploads and joined at the end.
 *
 * The library does not know the extension. Partials are ordinary uploads to it; a final never reaches it: it takes
 * over what its partials hold, nothing is copied (storage/uploads.ts), and accepts no bytes of its own.
 * `concatenation-unfinished` is not offered: every partial must be complete when the final is made.
 */
import { GatewayError } from '../errors.ts'

export type UploadConcat = { kind: 'whole' } | { kind: 'partial' } | { kind: 'final'; tickets: string[] }

/** One final joins at most so many partials. */
const MAX_PARTIALS = 1000

/**
 * @param path the address of the endpoint, such as `/api/uploads`; only uploads below it can be joined
 * @throws GatewayError `gateway/bad-input` neither `partial` nor `final;` and addresses of this endpoint
 */
export function parseUploadConcat(header: string | null, path: string): UploadConcat {
  if (header === null) return { kind: 'whole' }
  if (header === 'partial') return { kind: 'partial' }
  if (!header.startsWith('final;')) throw bad('is partial or final;<addresses>')
  // The addresses are separated by spaces and may be absolute or relative.
  const addresses = header
    .slice('final;'.length)
    .split(' ')
    .filter((address) => address !== '')
  if (addresses.length === 0) throw bad('names no partial upload')
  if (addresses.length > MAX_PARTIALS) throw bad(`names more than ${MAX_PARTIALS} partial uploads`)
  const tickets = addresses.map((address) => ticketIn(address, path))
  if (new Set(tickets).size !== tickets.length) throw bad('names a partial upload twice')
  return { kind: 'final', tickets }
}

/**
 * The ticket in an upload's address, relative or absolute.
 *
 * @throws GatewayError `gateway/bad-input` the address is not below `path`, or what follows is no ticket
 */
function ticketIn(address: string, path: string): string {
  const pathname = URL.canParse(address, BASE) ? new URL(address, BASE).pathname : ''
  const ticket = ticketOf(pathname, path)
  if (ticket === null) throw bad('names an address that is no upload of this server')
  return ticket
}

/** The ticket in a request path: 32 bytes as base64url (43 characters), or null when the path is of another shape. */
export function ticketOf(pathname: string, path: string): string | null {
  if (!pathname.startsWith(`${path}/`)) return null
  const rest = pathname.slice(path.length + 1).replace(/\/$/, '')
  return TICKET.test(rest) ? rest : null
}

const TICKET = /^[A-Za-z0-9_-]{43}$/
/** Only so that relative addresses can be parsed; the host of an address is not looked at: the ticket is the secret. */
const BASE = 'http://relative.invalid'

function bad(rule: string): GatewayError {
  return new GatewayError('gateway/bad-input', {
    message: `Upload-Concat ${rule}`,
    facts: { header: 'Upload-Concat' },
  })
}
