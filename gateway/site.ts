/** What the operator decides about the outside of this installation. */
export interface Site {
  /** scheme, host and port under which people reach it; links, cookies and form checks follow from it */
  publicUrl: string
  /** addresses or networks whose `X-Forwarded-For` is believed */
  trustedProxies: readonly string[]
  /** largest resumable upload, in bytes */
  maxUploadBytes: number
  /** largest file of the plain upload form, in bytes */
  maxFormBytes: number
  /** largest OSCI request, in bytes */
  maxOsciBytes: number
}

/** Limits that suit most sites. */
export const SITE_LIMITS = {
  maxUploadBytes: 100 * 1024 ** 3,
  maxFormBytes: 50 * 1024 ** 2,
  maxOsciBytes: 256 * 1024 ** 2,
} as const
