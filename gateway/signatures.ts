/** Routes of signature validation: the report of a file as a page, as JSON, as ETSI report and as a page for the file. */
import { parseId } from '../storage/index.ts'
import type { Context } from 'koa'
import { etsiReport, reportPdf } from '../signing/index.ts'
import type { ValidationReport } from '../signing/index.ts'
import { hideAbsence } from './access.ts'
import { GatewayError } from './errors.ts'
import type { House } from './house.ts'
import { attachment } from './http/disposition.ts'
import { queryValue } from './http/input.ts'
import { members } from './http/route.ts'
import type { Call, Route } from './http/route.ts'
import type { Principal } from './principal.ts'
import { validateFile } from './validation.ts'
import type { FileValidation, Validate } from './validation.ts'
import { signaturesPage } from './web/signatures-page.ts'

/** @param validate null where validation is not set up */
export function signatureRoutes(house: House, validate: Validate | null): Route[] {
  return [
    members('page', 'GET /files/:id/signatures', 'none', async (call) => {
      const validation = await judged(house, call, validate)
      house.show(call, (frame) => signaturesPage(frame, validation))
    }),
    members('page', 'GET /files/:id/signatures/report', 'none', (call) => sendReport(house, call, validate)),
    members('api', 'GET /api/files/:id/signatures', 'none', async (call) => {
      if (queryValue(call.ctx, 'format') !== null) return sendReport(house, call, validate)
      const { file, version, reports } = await judged(house, call, validate)
      call.ctx.body = { fileId: file.id, version: version.number, reports }
    }),
  ]
}

async function judged(house: House, call: Call<Principal>, validate: Validate | null): Promise<FileValidation> {
  if (validate === null) throw new GatewayError('gateway/not-configured')
  const file = await hideAbsence(house.storage.files.byId(parseId('file', call.param('id'))))
  await house.access.room(call.principal, file.roomId, 'file.download')
  if (file.state === 'erased') throw new GatewayError('gateway/not-found')
  const version = wholeNumber(call.ctx, 'version')
  const gone = new AbortController()
  call.ctx.res.once('close', () => {
    gone.abort()
  })
  return house.validationTurns.during(call.principal.user.id, gone.signal, () =>
    validateFile({ storage: house.storage, validate }, file, version),
  )
}

/** `format`: json, etsi or pdf; `of`: which of the reports, 0 is the file itself. */
async function sendReport(house: House, call: Call<Principal>, validate: Validate | null): Promise<void> {
  const { ctx, language } = call
  const format = queryValue(ctx, 'format') ?? 'pdf'
  const { reports } = await judged(house, call, validate)
  const chosen = reports[wholeNumber(ctx, 'of') ?? 0]
  if (chosen === undefined) throw new GatewayError('gateway/not-found')
  const { name, report } = chosen
  const answer = await renderReport(report, format, language)
  ctx.set('Content-Disposition', attachment(`${name}.${answer.extension}`))
  ctx.set('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'; sandbox")
  ctx.type = answer.type
  ctx.body = answer.body
}

async function renderReport(
  report: ValidationReport,
  format: string,
  language: 'de' | 'en',
): Promise<{ type: string; extension: string; body: string | Buffer }> {
  if (format === 'json')
    return { type: 'application/json', extension: 'report.json', body: JSON.stringify(report, null, 1) }
  if (format === 'pdf')
    return { type: 'application/pdf', extension: 'report.pdf', body: await reportPdf(report, language) }
  if (format !== 'etsi') throw new GatewayError('gateway/bad-input', { facts: { reason: 'format' } })
  const body = etsiReport(report)
  // a document without signatures has no report of this kind
  if (body === null) throw new GatewayError('gateway/not-found')
  return { type: 'application/xml', extension: 'report.xml', body }
}

/** A query value that is a small whole number; null when absent. */
function wholeNumber(ctx: Context, name: string): number | null {
  const text = queryValue(ctx, name)
  if (text === null) return null
  if (!/^\d{1,9}$/.test(text)) throw new GatewayError('gateway/bad-input', { facts: { reason: name } })
  return Number(text)
}
