/** The stylesheet and the icon: the only files this site hands out of its own. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Middleware } from 'koa'

interface Asset {
  bytes: Buffer
  type: string
  etag: string
}

export interface Assets {
  middleware: Middleware
  /** address of the stylesheet with its fingerprint, so that a browser never shows an old one */
  stylesheet: string
}

const FILES = { 'style.css': 'text/css; charset=utf-8', 'icon.svg': 'image/svg+xml' } as const

/** Reads them once from `web/assets`. */
export function loadAssets(): Assets {
  const assets = new Map<string, Asset>()
  for (const [name, type] of Object.entries(FILES)) {
    const bytes = readFileSync(new URL(`web/assets/${name}`, import.meta.url))
    assets.set(`/assets/${name}`, { bytes, type, etag: `"${fingerprint(bytes)}"` })
  }
  const style = assets.get('/assets/style.css')
  return {
    stylesheet: `/assets/style.css?v=${style === undefined ? '' : fingerprint(style.bytes)}`,
    middleware: async (ctx, next) => {
      const asset = ctx.method === 'GET' || ctx.method === 'HEAD' ? assets.get(ctx.path) : undefined
      if (asset === undefined) {
        await next()
        return
      }
      ctx.state['route'] = `${ctx.method} ${ctx.path}`
      ctx.set('Cache-Control', 'public, max-age=86400')
      ctx.set('ETag', asset.etag)
      ctx.type = asset.type
      ctx.status = 200
      if (ctx.fresh) ctx.status = 304
      else ctx.body = asset.bytes
    },
  }
}

function fingerprint(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('base64url').slice(0, 16)
}
