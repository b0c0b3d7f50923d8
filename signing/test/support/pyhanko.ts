/**
 * pyHanko as a peer, where AMTSBOTE_PYHANKO names a Python that can import it. Says for each signature and time-stamp of a
 * document whether it holds, and whether anything after it goes beyond what signatures and their evidence may change.
 */
import { spawn } from 'node:child_process'

const SCRIPT = `
import json, sys
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature, validate_pdf_timestamp
from pyhanko_certvalidator import ValidationContext
with open(sys.argv[1], 'rb') as file:
    reader = PdfFileReader(file)
    if reader.encrypted:
        reader.decrypt(sys.argv[2])
    context = lambda: ValidationContext(trust_roots=[], allow_fetching=False)
    found = []
    for signature in reader.embedded_regular_signatures:
        status = validate_pdf_signature(signature, signer_validation_context=context())
        found.append([signature.field_name, status.intact and status.valid, bool(status.docmdp_ok), status.coverage.name])
    for signature in reader.embedded_timestamp_signatures:
        status = validate_pdf_timestamp(signature, validation_context=context())
        found.append([signature.field_name, status.intact and status.valid, True, status.coverage.name])
    print(json.dumps(found))
`

export interface PeerVerdict {
  field: string
  holds: boolean
  /** the changes after it are allowed */
  changesAllowed: boolean
  coverage: string
}

const python = process.env['AMTSBOTE_PYHANKO']

/** Null: no pyHanko here. */
export async function askPyHanko(path: string, password = ''): Promise<PeerVerdict[] | null> {
  if (python === undefined) return null
  const child = spawn(python, ['-c', SCRIPT, path, password], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let complaints = ''
  child.stdout.on('data', (data: Buffer) => (output += data.toString()))
  child.stderr.on('data', (data: Buffer) => (complaints += data.toString()))
  const code = await new Promise((resolve) => child.on('close', resolve))
  if (code !== 0) throw new Error(`pyHanko: ${complaints}`)
  const rows = JSON.parse(output) as [string, boolean, boolean, string][]
  return rows.map(([field, holds, changesAllowed, coverage]) => ({ field, holds, changesAllowed, coverage }))
}
