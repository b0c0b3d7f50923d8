/**
 * Memory that goes round within one download, window after window: new memory would have to be cleared by the system for
 * each, which costs more than opening what is read into it. It is never handed on to another download.
 */
import { release } from '../cipher/release.ts'

export interface SpareMemory {
  /** At least so much, with whatever lies in it. */
  take(bytes: number): ArrayBuffer
  /** Takes back what nobody uses any more. */
  give(memory: ArrayBuffer): void
  /** Lets go of all that came back. */
  end(): void
}

/** For who keeps what was read: takes nothing back. */
export const noSpareMemory: SpareMemory = { take: newMemory, give: () => undefined, end: () => undefined }

export function createSpareMemory(): SpareMemory {
  const kept: ArrayBuffer[] = []
  return {
    take: (bytes) => {
      const memory = kept.pop()
      if (memory && memory.byteLength >= bytes) return memory
      if (memory) release(new Uint8Array(memory))
      return newMemory(bytes)
    },
    give: (memory) => {
      kept.push(memory)
    },
    end: () => {
      for (const memory of kept.splice(0)) release(new Uint8Array(memory))
    },
  }
}

function newMemory(bytes: number): ArrayBuffer {
  return Buffer.allocUnsafeSlow(bytes).buffer
}
