/**
 * A browser without a screen: keeps cookies, sends forms with the hidden fields of the page it is on, and the Origin
 * that a browser would send.
 */
import { request } from 'node:http'
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'

export interface Reply {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
  text: string
  json: Record<string, unknown>
}

export interface Browser {
  cookies: Map<string, string>
  get(path: string, headers?: OutgoingHttpHeaders): Promise<Reply>
  send(method: string, path: string, body: string | Buffer | null, headers?: OutgoingHttpHeaders): Promise<Reply>
  /** sends the form with this action of the page that was shown last, with its hidden fields and these */
  submit(action: string, fields?: Record<string, string>): Promise<Reply>
  /** follows redirects by GET (or the same again for 307) until a page comes */
  follow(reply: Reply): Promise<Reply>
  json(method: string, path: string, body?: unknown, headers?: OutgoingHttpHeaders): Promise<Reply>
}

export function openBrowser(url: string): Browser {
  const cookies = new Map<string, string>()
  let page = ''
  let lastForm: { body: string } | null = null

  async function send(method: string, path: string, body: string | Buffer | null, headers: OutgoingHttpHeaders = {}) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const all = { ...(cookie === '' ? {} : { cookie }), ...headers }
    const reply = await call(url, { method, path, headers: all }, body)
    for (const line of [reply.headers['set-cookie'] ?? []].flat()) {
      const [pair = ''] = line.split(';')
      const [name = '', value = ''] = pair.split('=')
      if (value === '') cookies.delete(name)
      else cookies.set(name, value)
    }
    if (String(reply.headers['content-type']).startsWith('text/html')) page = reply.text
    return reply
  }

  async function post(path: string, body: string): Promise<Reply> {
    lastForm = { body }
    return send('POST', path, body, { origin: url, 'content-type': 'application/x-www-form-urlencoded' })
  }

  return {
    cookies,
    send,
    get: (path, headers) => send('GET', path, null, headers),
    submit: (action, fields = {}) => {
      const form = page.split('<form ').find((part) => part.includes(`action="${action}"`))
      if (form === undefined) throw new Error(`the page has no form for ${action}`)
      const hidden = [
        ...form
          .split('</form>', 1)
          .join('')
          .matchAll(/<input type="hidden" name="([^"]+)"(?: autocomplete="\w+")? value="([^"]*)"/g),
      ]
      const all = Object.fromEntries(hidden.map(([, name = '', value = '']) => [name, unescape(value)]))
      return post(action, new URLSearchParams({ ...all, ...fields }).toString())
    },
    follow: async (reply) => {
      let at = reply
      for (let hops = 0; hops < 6 && at.status >= 300 && at.status < 400; hops += 1) {
        const location = String(at.headers.location)
        at = at.status === 307 && lastForm ? await post(location, lastForm.body) : await send('GET', location, null)
      }
      return at
    },
    json: (method, path, body, headers = {}) =>
      send(method, path, body === undefined ? null : JSON.stringify(body), {
        'content-type': 'application/json',
        ...headers,
      }),
  }
}

function unescape(text: string): string {
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
}

interface Asked {
  method: string
  path: string
  headers: OutgoingHttpHeaders
}

function call(url: string, { method, path, headers }: Asked, body: string | Buffer | null) {
  return new Promise<Reply>((resolve, reject) => {
    const length = body === null ? {} : { 'content-length': Buffer.byteLength(body) }
    const sent = request(
      new URL(url).origin + path,
      { method, agent: false, headers: { ...length, ...headers } },
      (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('error', reject)
        answer.on('end', () => {
          const bytes = Buffer.concat(chunks)
          const text = bytes.toString()
          let json: Record<string, unknown> = {}
          if (String(answer.headers['content-type']).includes('json') && text !== '')
            json = JSON.parse(text) as typeof json
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: bytes, text, json })
        })
      },
    )
    sent.on('error', reject)
    sent.end(body ?? undefined)
  })
}

/** Signs in through the page; with a code where the account asks for one. */
export async function signIn(browser: Browser, email: string, password: string, code?: string): Promise<Reply> {
  await browser.get('/login')
  let reply = await browser.follow(await browser.submit('/login', { email, password }))
  if (code !== undefined) reply = await browser.follow(await browser.submit('/step-up', { code }))
  return reply
}
