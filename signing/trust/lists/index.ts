/** EU trusted lists: fetched, kept, verified, and asked about qualification (ETSI TS 119 612, TS 119 615). */
export { importLists, loadLists, nextListUpdate, refreshLists, saveLists } from './when-asked.ts'
export type { ListProblem, Refreshed } from './refresh.ts'
export type { ListFiles } from './store.ts'
export { NO_LISTS, createTrustedLists } from './trusted-lists.ts'
export type { ListSnapshot, TrustedLists } from './trusted-lists.ts'
