/**
 * Does a CRL speak about a certificate, and about which reasons (RFC 5280 §6.3.3 b, d)?
 */
import type { Certificate } from '../certificate.ts'
import { REASONS, pointNames, readDistributionPoints } from '../extensions.ts'
import type { DistributionPoint, ReasonFlag } from '../extensions.ts'
import { generalNameKey } from '../general-name.ts'
import type { GeneralName } from '../general-name.ts'
import type { Name } from '../name.ts'
import type { RevocationList } from './crl.ts'

/** Every reason that a certificate can be revoked for. */
export const ALL_REASONS: ReadonlySet<ReasonFlag> = new Set(REASONS.filter((reason) => reason !== 'unused'))

/** The reasons for which `list` knows the status of `certificate`; null: it does not speak about it. */
export function coverage(list: RevocationList, certificate: Certificate): ReadonlySet<ReasonFlag> | null {
  if (!isKindCovered(list, certificate)) return null
  const points = [...readDistributionPoints(certificate), pointless(certificate)]
  const covered = new Set(
    points.flatMap((point) => (matches(list, certificate, point) ? [...reasonsOf(list, point)] : [])),
  )
  return covered.size === 0 ? null : covered
}

/** §6.3.3 b 2 ii to iv. */
function isKindCovered({ scope }: RevocationList, { isCa }: Certificate): boolean {
  if (scope === null) return true
  return (
    !scope.onlyAttributeCertificates && !(scope.onlyUserCertificates && isCa) && !(scope.onlyCaCertificates && !isCa)
  )
}

/** §6.3.3, last paragraph: lists that no distribution point names may still come from the issuer itself. */
function pointless({ issuer }: Certificate): DistributionPoint {
  return { fullNames: [{ kind: 'directory', name: issuer }], relativeName: null, reasons: null, crlIssuer: null }
}

function matches(list: RevocationList, certificate: Certificate, point: DistributionPoint): boolean {
  const { scope } = list
  const issuers = crlIssuers(point, certificate)
  // §6.3.3 b 1: from the named CRL issuer, and then an indirect one; otherwise from the issuer of the certificate
  if (!issuers.some(({ key }) => key === list.issuer.key)) return false
  if (point.crlIssuer !== null && list.issuer.key !== certificate.issuer.key && scope?.indirect !== true) return false
  const listed = scope === null ? null : pointNames(scope, [list.issuer])
  if (listed === null) return true
  // §6.3.3 b 2 i: one name in common; a point without a name goes by its CRL issuer
  const wanted = pointNames(point, issuers) ?? point.crlIssuer ?? []
  return shareName(listed, wanted)
}

function crlIssuers({ crlIssuer }: DistributionPoint, certificate: Certificate): Name[] {
  if (crlIssuer === null) return [certificate.issuer]
  return crlIssuer.flatMap((name) => (name.kind === 'directory' ? [name.name] : []))
}

function shareName(listed: readonly GeneralName[], wanted: readonly GeneralName[]): boolean {
  const keys = new Set(listed.map(generalNameKey))
  return wanted.some((name) => keys.has(generalNameKey(name)))
}

function reasonsOf({ scope }: RevocationList, { reasons }: DistributionPoint): ReasonFlag[] {
  return [...ALL_REASONS].filter((reason) => {
    const listed = scope?.onlyReasons?.has(reason) ?? true
    return listed && (reasons?.has(reason) ?? true)
  })
}
