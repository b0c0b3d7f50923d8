/** A folder of trusted lists, for signing: files are written aside, flushed and renamed, so that none is ever half there. */
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import type { ListFiles } from '../signing/index.ts'

export function folderFiles(folder: string): ListFiles {
  return {
    read: async (name) => {
      try {
        return await readFile(path.join(folder, name))
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
        throw error
      }
    },
    write: async (name, bytes) => {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const aside = path.join(folder, `.new-${process.pid}-${name}`)
      try {
        const handle = await open(aside, 'w', 0o600)
        try {
          await handle.writeFile(bytes)
          await handle.sync()
        } finally {
          await handle.close()
        }
        await rename(aside, path.join(folder, name))
      } finally {
        await rm(aside, { force: true })
      }
    },
  }
}
