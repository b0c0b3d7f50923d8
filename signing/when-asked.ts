/**
 * Functions whose modules are loaded at their first call. Most processes seal and serve only: what reads foreign
 * signatures, and the forms beside PDF, would take memory in them for nothing.
 */
import type * as asicExtend from './asic/extend.ts'
import type * as asicWrite from './asic/write.ts'
import type * as cades from './cms/cades.ts'
import type * as request from './keys/certificate-request.ts'
import type * as csc from './keys/csc.ts'
import type * as pkcs11 from './keys/pkcs11.ts'
import type * as trial from './keys/trial-identity.ts'
import type * as inside from './validation/threads/inside.ts'
import type * as validate from './validation/validate.ts'
import type * as xadesLevels from './xades/levels.ts'
import type * as xadesSign from './xades/sign.ts'

export const openPkcs11Key: typeof pkcs11.openPkcs11Key = async (...given) =>
  (await import('./keys/pkcs11.ts')).openPkcs11Key(...given)

export const openCscKey: typeof csc.openCscKey = async (...given) =>
  (await import('./keys/csc.ts')).openCscKey(...given)

export const makeCertificateRequest: typeof request.makeCertificateRequest = async (...given) =>
  (await import('./keys/certificate-request.ts')).makeCertificateRequest(...given)

export const makeTrialIdentity: typeof trial.makeTrialIdentity = async (...given) =>
  (await import('./keys/trial-identity.ts')).makeTrialIdentity(...given)

export const issueTrialCertificate: typeof trial.issueTrialCertificate = async (...given) =>
  (await import('./keys/trial-identity.ts')).issueTrialCertificate(...given)

export const signCades: typeof cades.signCades = async (...given) =>
  (await import('./cms/cades.ts')).signCades(...given)

export const signXadesEnveloped: typeof xadesSign.signXadesEnveloped = async (...given) =>
  (await import('./xades/sign.ts')).signXadesEnveloped(...given)

export const extendXades: typeof xadesLevels.extendXades = async (...given) =>
  (await import('./xades/levels.ts')).extendXades(...given)

export const signAsic: typeof asicWrite.signAsic = async (...given) =>
  (await import('./asic/write.ts')).signAsic(...given)

export const extendAsic: typeof asicExtend.extendAsic = async (...given) =>
  (await import('./asic/extend.ts')).extendAsic(...given)

export const validateDocument: typeof validate.validateDocument = async (...given) =>
  (await import('./validation/validate.ts')).validateDocument(...given)

/** Orders that come before the module is loaded wait in the port. */
export const validateWhenAsked = async (...given: Parameters<typeof inside.validateWhenAsked>): Promise<void> => {
  const { validateWhenAsked: listen } = await import('./validation/threads/inside.ts')
  listen(...given)
}
