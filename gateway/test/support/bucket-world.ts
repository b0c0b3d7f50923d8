import type { StoresOrder } from './upload-stores.ts'
export function bucketWorld(_body: (world: { stores(): Promise<StoresOrder> }) => void): void {}
