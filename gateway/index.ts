/**
 * The face of the gateway: HTTP for people and programs.
 *
 * `createApp` gives a Koa application that does not listen. Below it: sessions and factors (auth/), headers, cookies and
 * problems (http/), resumable uploads (tus/), pages without script (web/).
 */
export { createApp } from './app.ts'
export type { App, AppDeps } from './app.ts'
export { createPasswords } from './auth/password.ts'
export { invitationPath } from './invitation.ts'
export type { AnswerOsci } from './osci.ts'
export { createSealer, describeKey } from './seal.ts'
export { sealBatchHandler } from './seal-batch.ts'
export { startSealBatch } from './seal-batches.ts'
export { liftFile, liftHandler } from './lift.ts'
export { SEAL_LEVELS, sealToLevel } from './seal-level.ts'
export type { SealLevel, SealSetup, SealWishes } from './seal-level.ts'
export type { Validate } from './validation.ts'
export type { SealDescription, Sealer } from './seal.ts'
export { SITE_LIMITS } from './site.ts'
export type { Site } from './site.ts'
