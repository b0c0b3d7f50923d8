/**
 * How this module asks over HTTP: a function that comes in as an argument. Tests, offline operation and proxies give
 * their own; http-client.ts is the one for the open network.
 */
export interface HttpRequest {
  method: 'GET' | 'POST'
  url: string
  headers?: Readonly<Record<string, string>>
  body?: Buffer
  /** for the whole exchange */
  timeoutMs: number
  /** a longer answer is a fault */
  maxBytes: number
}

export interface HttpResponse {
  status: number
  /** names in lower case */
  headers: Readonly<Record<string, string>>
  body: Buffer
}

/** Rejects with SigningError `signing/fetch-failed`: no answer in time, too long, or not allowed. Follows no redirects. */
export type Http = (request: HttpRequest) => Promise<HttpResponse>
