/** Fetching, keeping and verifying lists: loaded at the first call, because it brings the whole of XML signatures along. */
import type * as refresh from './refresh.ts'
import type * as store from './store.ts'

export const refreshLists: typeof refresh.refreshLists = async (...given) =>
  (await import('./refresh.ts')).refreshLists(...given)

export const loadLists: typeof store.loadLists = async (...given) => (await import('./store.ts')).loadLists(...given)

export const importLists: typeof store.importLists = async (...given) =>
  (await import('./store.ts')).importLists(...given)

export const saveLists: typeof store.saveLists = async (...given) => (await import('./store.ts')).saveLists(...given)

export const nextListUpdate: typeof store.nextListUpdate = async (...given) =>
  (await import('./store.ts')).nextListUpdate(...given)
